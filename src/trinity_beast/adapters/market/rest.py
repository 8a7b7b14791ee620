"""The REST side of the simulated market: three venues, one local server for each.

Each answers in the dialect of its venue, with prices of the same walks that the
WebSocket venues trade at, and fails on demand.  It is plain HTTP/1.1 over asyncio, so
that an answer may be anything that a broken or hostile server sends.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from trinity_beast.adapters.market.errors import VenueUnknown
from trinity_beast.adapters.market.line import HOST
from trinity_beast.adapters.market.walk import decimals_of, price_text
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S, to_datetime
from trinity_beast.ports.clock import Clock

_MOST_HEAD_BYTES: Final = 16_384
_TRADED_AGO_NS: Final = 120 * NS_PER_MS
_DECIMALS: Final = {"gemini": 2, "coinbase": 2, "kraken": 5}
_COINBASE_ASSETS: Final = {"MANTLE": "MNT"}
_KRAKEN_ASSETS: Final = {"XBT": "BTC", "XDG": "DOGE"}
_REASONS: Final = {200: "OK", 400: "Bad Request", 404: "Not Found"}

UsdOf = Callable[[str], float | None]


@dataclass(frozen=True, slots=True)
class RestFault:
    """What a venue does instead of answering well.

    Attributes:
        status: Status of its answers.
        body: What they hold.
        packed: What they say of their encoding; empty says nothing.
        hangs: It takes questions and never answers.
        breaks: It cuts the connection instead of answering.
    """

    status: int = 200
    body: bytes = b""
    packed: str = ""
    hangs: bool = False
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class _Trade:
    price: str
    traded_at_ns: int


class RestVenues:
    """Gemini, Coinbase and Kraken as far as the last trade of an asset is asked for.

    Attributes:
        asked: How often each (venue, asset) was asked for.
    """

    def __init__(self, clock: Clock, usd_of: UsdOf) -> None:
        """Prepare the venues; nothing listens yet.

        Args:
            clock: What trades are timed by.
            usd_of: The price of an asset now; None for one that no venue lists.
        """
        self._clock = clock
        self._usd_of = usd_of
        self._faults: dict[str, RestFault] = {}
        self._delisted: set[tuple[str, str]] = set()
        self._traded_ago_ns = dict.fromkeys(_DECIMALS, _TRADED_AGO_NS)
        self._servers: list[asyncio.Server] = []
        self._talks: set[asyncio.Task[None]] = set()
        self.asked: Counter[tuple[str, str]] = Counter()

    async def start(self) -> dict[str, str]:
        """Listen, and return the URL of each venue by its name."""
        urls: dict[str, str] = {}
        for name in _DECIMALS:
            server = await asyncio.start_server(
                self._serving(name),
                HOST,
                0,
                limit=_MOST_HEAD_BYTES,
            )
            self._servers.append(server)
            port: int = server.sockets[0].getsockname()[1]
            urls[name] = f"http://{HOST}:{port}"
        return urls

    async def stop(self) -> None:
        """Hang up and stop listening; twice is not an error."""
        for server in self._servers:
            server.close()
        for talk in tuple(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        self._servers.clear()

    def fail(self, venue: str, fault: RestFault) -> None:
        """Let a venue fail from now on.

        Raises:
            VenueUnknown: There is no such venue; so with all the faults below.
        """
        self._faults[_known(venue)] = fault

    def heal(self, venue: str) -> None:
        """Let a venue answer well again, with trades of just now."""
        self._faults.pop(_known(venue), None)
        self._traded_ago_ns[venue] = _TRADED_AGO_NS

    def delist(self, venue: str, asset: str) -> None:
        """Let a venue not know an asset."""
        self._delisted.add((_known(venue), asset))

    def trade_last(self, venue: str, ago_s: float) -> None:
        """Let a venue's last trades have been so long ago."""
        self._traded_ago_ns[_known(venue)] = round(ago_s * NS_PER_S)

    def _serving(
        self,
        venue: str,
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talk = asyncio.create_task(self._talk(venue, reader, writer))
            self._talks.add(talk)
            talk.add_done_callback(self._talks.discard)

        return begin

    async def _talk(
        self,
        venue: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        try:
            # A client may just go away, or send no HTTP.
            with suppress(OSError, asyncio.IncompleteReadError, ValueError):
                while await self._answer_next(venue, reader, writer):
                    pass
        finally:
            writer.transport.abort()

    async def _answer_next(
        self,
        venue: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        _, target, *_ = head.decode("ascii").split(" ", 2)
        status, body = self._answer_to(venue, target)
        fault = self._faults.get(venue, RestFault(status, body))
        if fault.hangs:
            await reader.read()
        if fault.hangs or fault.breaks:
            return False
        reason = _REASONS.get(fault.status, "Failed")
        lines = [
            f"HTTP/1.1 {fault.status} {reason}",
            "Content-Type: application/json",
            f"Content-Length: {len(fault.body)}",
        ]
        if fault.packed:
            lines.append(f"Content-Encoding: {fault.packed}")
        writer.write("\r\n".join([*lines, "", ""]).encode() + fault.body)
        await writer.drain()
        return True

    def _answer_to(self, venue: str, target: str) -> tuple[int, bytes]:
        asset = _asset_in(venue, target)
        self.asked[venue, asset] += 1
        usd = None if (venue, asset) in self._delisted else self._usd_of(asset)
        if usd is None:
            return _unlisted(venue)
        decimals = decimals_of(usd, _DECIMALS[venue])
        trade = _Trade(
            price_text(usd, decimals, trims=False),
            self._clock.now_ns() - self._traded_ago_ns[venue],
        )
        return 200, json.dumps(_told(venue, asset, trade)).encode()


def _known(venue: str) -> str:
    if venue not in _DECIMALS:
        raise VenueUnknown(venue=venue)
    return venue


def _asset_in(venue: str, target: str) -> str:
    """Return the asset that a question is about; what is no question names none."""
    parts = urlsplit(target)
    if venue == "kraken":
        pair = parse_qs(parts.query).get("pair", [""])[0]
        base = pair.removesuffix("USD")
        return _KRAKEN_ASSETS.get(base, base)
    if venue == "gemini":
        return parts.path.removeprefix("/v1/trades/").removesuffix("usd").upper()
    base = parts.path.removeprefix("/products/").removesuffix("-USD/ticker")
    return _COINBASE_ASSETS.get(base, base)


def _unlisted(venue: str) -> tuple[int, bytes]:
    if venue == "kraken":
        return 200, b'{"error":["EQuery:Unknown asset pair"]}'
    if venue == "gemini":
        return 400, b'{"result":"error","reason":"InvalidSymbol","message":"No."}'
    return 404, b'{"message":"NotFound"}'


def _told(venue: str, asset: str, trade: _Trade) -> object:
    at_ns = trade.traded_at_ns
    if venue == "gemini":
        one = {
            "timestamp": at_ns // NS_PER_S,
            "timestampms": at_ns // NS_PER_MS,
            "tid": at_ns // NS_PER_MS,
            "price": trade.price,
            "amount": "0.01",
            "exchange": "gemini",
            "type": "buy",
        }
        return [one]
    if venue == "coinbase":
        return {
            "ask": trade.price,
            "bid": trade.price,
            "volume": "4231.20",
            "trade_id": at_ns // NS_PER_MS,
            "price": trade.price,
            "size": "0.01",
            "time": f"{to_datetime(at_ns):%Y-%m-%dT%H:%M:%S.%fZ}",
        }
    base = {v: k for k, v in _KRAKEN_ASSETS.items()}.get(asset, asset)
    fill = [trade.price, "0.01", at_ns / NS_PER_S, "b", "m", "", at_ns // NS_PER_MS]
    return {"error": [], "result": {f"X{base}ZUSD": [fill], "last": str(at_ns)}}
