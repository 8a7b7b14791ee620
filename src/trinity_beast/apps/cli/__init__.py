"""The command line: `./beast COMMAND`.

Exit codes: 0 done, 1 failed, 2 the command was used wrongly.
"""

from trinity_beast.apps.cli.app import main

__all__ = ["main"]
