"""`beast feeds`: try rows on captured frames, and check the live exchanges."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import IO, Annotated, cast

import typer

from trinity_beast.adapters.exchange_sockets import WebSocketExchanges
from trinity_beast.apps.cli.opened import database
from trinity_beast.apps.cli.session import FAILED, Session, run
from trinity_beast.features.catalogue import CatalogueService
from trinity_beast.features.feeds import (
    FeedCheck,
    FrameLineInvalid,
    check_feeds,
    choose_row,
    decode_lines,
    read_rows,
)

app = typer.Typer(
    help="Try and check exchange feeds.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command()
def decode(
    frames: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="FRAMES.jsonl or .jsonl.gz"),
    ],
    rows: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="Rows of exchange_feeds, JSON."),
    ],
    exchange: Annotated[
        str | None,
        typer.Option(
            help="Which row; else the one that the frames' file is named for."
        ),
    ] = None,
) -> None:
    """Decode captured frames with a row and print one JSON line a trade.

    So a new row can be tried before it is inserted.
    """

    async def command(_session: Session) -> bool:
        return _decode(frames, rows, exchange)

    if not run(command):
        raise typer.Exit(FAILED)


@app.command()
def check(
    wait_s: Annotated[
        float,
        typer.Option("--wait", min=1, max=120, help="Seconds to listen to each."),
    ] = 10.0,
) -> None:
    """Connect to each enabled exchange, subscribe, listen, and report."""

    async def command(session: Session) -> bool:
        async with database(session) as work:
            snapshot = await CatalogueService(work).load()
        found = await check_feeds(
            snapshot,
            WebSocketExchanges(),
            session.machine.clock,
            session.machine.randomness,
            wait_s=wait_s,
        )
        for one in found:
            session.out.print(_line_of(one), markup=False)
        return all(one.healthy for one in found)

    if not run(command):
        raise typer.Exit(FAILED)


def _decode(frames: Path, rows: Path, exchange: str | None) -> bool:
    known = read_rows(rows.read_bytes())
    complaints: list[str] = []

    def complain(error: FrameLineInvalid) -> None:
        complaints.append(error.message)
        typer.echo(f"beast: {error.message}", err=True)

    row = choose_row(known, exchange or (frames.name if len(known) > 1 else None))
    with _opened(frames) as lines:
        for trade in decode_lines(row, lines, complain):
            print(json.dumps(trade))
    return not complaints


def _opened(frames: Path) -> IO[bytes]:
    if frames.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(frames, "rb"))
    return frames.open("rb")


def _line_of(found: FeedCheck) -> str:
    words = [
        f"{found.exchange:12} {found.state:12} asked {found.asked:3}",
        f"acked {found.acked:3}  seen {found.seen:3}",
        *(f"refused {symbol}: {why}" for symbol, why in found.refused.items()),
        *(f"no answer for {symbol}" for symbol in found.unacked),
        *([found.error] if found.error and not found.healthy else []),
    ]
    return "  ".join(words)
