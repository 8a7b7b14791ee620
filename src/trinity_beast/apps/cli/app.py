"""Puts the commands together; each is imported only when it is asked for.

Importing everything takes a second, which a person who asks for one thing would feel.
"""

from __future__ import annotations

import importlib
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command as command_of

from trinity_beast import __version__


class Place(NamedTuple):
    """Where a command is written, and what it does in one line."""

    module: str
    name: str
    summary: str


COMMANDS = {
    "demo": Place("running", "demo", "Run everything on a simulated market."),
    "up": Place("running", "up", "Run everything on the live exchanges."),
    "run": Place("running", "run_roles", "Run some roles."),
    "price": Place("price_command", "price", "Ask the running server for prices."),
    "keys": Place("key_commands", "app", "Create, list, revoke and seal API keys."),
    "feeds": Place("feed_commands", "app", "Try and check exchange feeds."),
    "db": Place("database_commands", "app", "Bring the database up to date; compare."),
    "settings": Place("settings_command", "settings", "Show all settings."),
}
"""Every command by its name, in the order of the help page."""


class Commands(TyperGroup):
    """The commands, imported on demand."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer keeps the type to itself
        """Return the names, the most wanted first."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - likewise
        """Import and return a command, or None when there is none of this name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module = importlib.import_module(f"{__package__}.{place.module}")
        found = getattr(module, place.name)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False, rich_markup_mode=None)
            single.command(cmd_name)(found)
            found = single
        return command_of(found)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002 - likewise
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, place.summary) for name, place in COMMANDS.items()],
            )


app = typer.Typer(
    name="beast",
    cls=Commands,
    help="The Trinity Beast: live crypto prices, metered, reported and pushed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Print the version and stop.",
        ),
    ] = False,
) -> None:
    """Take the options that stand before the command."""


def main() -> None:
    """Run the command line of this process."""
    app(prog_name="beast")
