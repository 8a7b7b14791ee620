"""Runs the command line: `python -m trinity_beast.apps.cli`."""

from trinity_beast.apps.cli.app import main

main()
