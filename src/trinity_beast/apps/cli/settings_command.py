"""`beast settings`: every environment variable, its value, default and meaning."""

from __future__ import annotations

from rich.table import Table

from trinity_beast.apps.cli.session import Session, run
from trinity_beast.apps.settings import list_settings


def settings() -> None:
    """Show all settings with their values, defaults and meaning."""
    run(_show)


async def _show(session: Session) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("Variable", "Value", "Default", "Meaning"):
        table.add_column(title, overflow="fold")
    for line in list_settings(session.settings):
        table.add_row(line.variable, line.value, line.default, line.meaning)
    session.out.print(table)
