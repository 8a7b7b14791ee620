"""`beast keys`: create, list, revoke and seal API keys."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from trinity_beast.apps.cli.opened import database
from trinity_beast.apps.cli.session import Session, run
from trinity_beast.features.keys import ApiKey, KeyService
from trinity_beast.kernel.time import to_datetime
from trinity_beast.toolkit.work import UnitOfWork

app = typer.Typer(
    help="Create, list, revoke and seal API keys.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command()
def create(
    email: Annotated[str, typer.Option(help="Who the key belongs to.")],
    tier: Annotated[str, typer.Option(help="free, pro, enterprise, unlimited …")],
    name: Annotated[str | None, typer.Option(help="A name to know it by.")] = None,
    response_format: Annotated[
        str,
        typer.Option("--format", help="tbc (with envelope) or plain."),
    ] = "tbc",
) -> None:
    """Create a key and print it; it is shown this once."""

    async def command(session: Session) -> None:
        async with database(session) as work:
            issued = await _service(session, work).create(
                email,
                tier,
                name=name,
                response_format=response_format,
            )
        print(issued.secret)

    run(command)


@app.command("list")
def list_keys(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most lines.")] = 100,
) -> None:
    """List the newest keys; the keys themselves are never shown."""

    async def command(session: Session) -> None:
        async with database(session) as work:
            keys = await _service(session, work).list_keys(limit=limit)
        session.out.print(_table(keys), crop=False)

    run(command)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key, its short form or its id.")],
) -> None:
    """Revoke a key for good; doing it twice is no error."""

    async def command(session: Session) -> None:
        async with database(session) as work:
            revoked = await _service(session, work).revoke(key)
        session.out.print(f"revoked {revoked.shown} ({revoked.id})")

    run(command)


@app.command()
def seal() -> None:
    """Replace keys that are stored in the clear by their hash and short form."""

    async def command(session: Session) -> None:
        async with database(session) as work:
            sealed = await _service(session, work).seal_all()
        session.out.print(f"sealed {sealed} keys")

    run(command)


def _service(session: Session, work: UnitOfWork) -> KeyService:
    return KeyService(
        work,
        session.machine.clock,
        session.machine.randomness,
        session.settings.store.key_storage,
    )


def _table(keys: list[ApiKey]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("Id", "Key", "Tier", "State", "Used", "Limit", "Last used", "Name"):
        # A line a key, however wide: it may be piped into something.
        table.add_column(title, no_wrap=True)
    for key in keys:
        last_used = "" if key.last_used_ns is None else _minute(key.last_used_ns)
        table.add_row(
            str(key.id),
            key.shown,
            key.tier,
            "revoked" if key.revoked else key.subscription_status,
            str(key.current_usage),
            str(key.query_limit),
            last_used,
            key.name or "",
        )
    return table


def _minute(at_ns: int) -> str:
    return f"{to_datetime(at_ns):%Y-%m-%d %H:%M}Z"
