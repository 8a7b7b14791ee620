"""A row of ``exchange_feeds`` with its assets, checked and ready to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from trinity_beast.features.catalogue import AssetRow, FeedRow
from trinity_beast.features.feeds.decoder import FrameDecoder
from trinity_beast.features.feeds.errors import FeedRowInvalid
from trinity_beast.features.feeds.templates import (
    SubscribeTemplate,
    compile_ping,
    compile_subscribe,
    symbol_of,
)

_LONGEST_TAG = 32


@dataclass(frozen=True, slots=True)
class FeedProgram:
    """What a session runs.

    Attributes:
        row: The row it was made of.
        symbols: Our asset of each symbol, in the order in which they are asked for.
        refused: Why an asset cannot be asked for, by asset.
        decoder: Makes trades of frames.
        subscribe: How to ask.
        ping: What to send now and then, or None.
        ping_interval_s: How often.
    """

    row: FeedRow
    symbols: Mapping[str, str]
    refused: Mapping[str, str]
    decoder: FrameDecoder
    subscribe: SubscribeTemplate
    ping: str | None
    ping_interval_s: int

    def only_adds_to(self, older: FeedProgram) -> bool:
        """Say whether a session of ``older`` needs no more than some symbols more."""
        if _working_part(self.row) != _working_part(older.row):
            return False
        return older.symbols.items() <= self.symbols.items()


def compile_feed(row: FeedRow, assets: Iterable[AssetRow]) -> FeedProgram:
    """Return the program of a row.

    Raises:
        FeedRowInvalid: The row cannot work; it says which column and why.
    """
    symbols: dict[str, str] = {}
    refused: dict[str, str] = {}
    for asset in assets:
        symbol = symbol_for(row, asset)
        owner = symbols.setdefault(symbol, asset.asset)
        if owner != asset.asset:
            refused[asset.asset] = f"{symbol} is already the symbol of {owner}"
    name = row.exchange_name
    _check_endpoint(row)
    _check_tag(row)
    ping = compile_ping(name, row.ping_message)
    interval_s = max(row.ping_interval_sec or 0, 0)
    return FeedProgram(
        row=row,
        symbols=symbols,
        refused=refused,
        decoder=FrameDecoder(row, symbols),
        subscribe=compile_subscribe(name, row.subscribe_template, row.symbol_style),
        ping=ping if interval_s else None,
        ping_interval_s=interval_s,
    )


def symbol_for(row: FeedRow, asset: AssetRow) -> str:
    """Return an asset's symbol: its own, else what ``symbol_template`` makes."""
    return asset.exchange_symbol or symbol_of(row.symbol_template, asset.asset)


def check_feed_row(row: FeedRow) -> None:
    """Refuse a row that cannot work, before it is stored.

    Raises:
        FeedRowInvalid: It says which column and why.
    """
    compile_feed(row, ())


def _check_endpoint(row: FeedRow) -> None:
    try:
        parts = urlsplit(row.ws_endpoint)
        usable = parts.scheme in {"ws", "wss"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        reason = f"is no ws:// or wss:// address: {row.ws_endpoint!r}"
        raise FeedRowInvalid(row.exchange_name, "ws_endpoint", reason)


def _check_tag(row: FeedRow) -> None:
    tag = row.source_tag
    if not (0 < len(tag) <= _LONGEST_TAG and tag.isascii() and tag.isprintable()):
        reason = f"is not 1 to {_LONGEST_TAG} plain characters: {tag!r}"
        raise FeedRowInvalid(row.exchange_name, "source_tag", reason)


def _working_part(row: FeedRow) -> FeedRow:
    """Return a row without what a running session does not care about."""
    return replace(row, display_name="", notes=None, created_at=None, updated_at=None)
