"""Puts the commands together."""

from __future__ import annotations

from typing import Annotated

import typer

from trinity_beast import __version__
from trinity_beast.apps.cli import (
    database_commands,
    feed_commands,
    key_commands,
    price_command,
    running,
    settings_command,
)

app = typer.Typer(
    name="beast",
    help="The Trinity Beast: live crypto prices, metered, reported and pushed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(running.demo)
app.command("up")(running.up)
app.command("run")(running.run_roles)
app.command("price")(price_command.price)
app.command("settings")(settings_command.settings)
app.add_typer(database_commands.app, name="db")
app.add_typer(feed_commands.app, name="feeds")
app.add_typer(key_commands.app, name="keys")


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
    app()
