"""A price listener in small, with and without the short way, and raw clients of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from trinity_beast.features.prices import PriceShortcut, build_lpo_app
from trinity_beast.toolkit.http.protocol import Manners
from trinity_beast.toolkit.http.request_ids import RequestIds
from trinity_beast.toolkit.http.server import HttpServer

if TYPE_CHECKING:
    from support.lpo import World
    from trinity_beast.features.usage import UsageRecord

_LENGTH = re.compile(rb"content-length: (\d+)")
_DATE = re.compile(rb"date: [^\r]*")
_ID = re.compile(rb"x-request-id: ([^\r]*)")
TOO_LONG_S = 10.0


class Counting:
    """The short way, counting how often it was taken."""

    def __init__(self, shortcut: PriceShortcut) -> None:
        self.taken = 0
        self._shortcut = shortcut

    def try_answer(self, data: bytes, peer: str) -> bytes | None:
        answer = self._shortcut.try_answer(data, peer)
        self.taken += answer is not None
        return answer


class Raw(NamedTuple):
    """A connection on which bytes are said and heard."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, raw: bytes, *, is_head: bool = False) -> bytes:
        """Say something and return the answer, as it came."""
        self.writer.write(raw)
        return await self.hear(is_head=is_head)

    async def hear(self, *, is_head: bool = False) -> bytes:
        """Return the next answer, as it came."""
        async with asyncio.timeout(TOO_LONG_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if is_head or length is None:
                return head
            return head + await self.reader.readexactly(int(length[1]))

    async def rest(self) -> bytes:
        """Return all up to the end of the connection."""
        async with asyncio.timeout(TOO_LONG_S):
            return await self.reader.read()

    async def is_closed(self) -> bool:
        """Tell whether the other side has hung up; waits for it."""
        async with asyncio.timeout(TOO_LONG_S):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True


class Listener:
    """A running price listener of a world."""

    def __init__(self, world: World, server: HttpServer, counting: Counting) -> None:
        self.world = world
        self.server = server
        self.counting = counting

    @property
    def taken(self) -> int:
        """How often the short way was taken."""
        return self.counting.taken

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[Raw]:
        """Open a connection for the length of the block."""
        port = self.server.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Raw(reader, writer)
        finally:
            writer.close()


@asynccontextmanager
async def listening_to(
    world: World,
    *,
    is_short: bool = True,
    request_timeout_s: float = 30.0,
    shortcut: PriceShortcut | None = None,
) -> AsyncGenerator[Listener]:
    """Serve a world's prices on a free port for the length of the block."""
    shortcut = shortcut or PriceShortcut(world.parts)
    counting = Counting(shortcut)
    manners = Manners(
        RequestIds(world.clock, world.randomness),
        linger_s=0.05,
        request_timeout_s=request_timeout_s,
        shortcut=counting if is_short else None,
    )
    app = build_lpo_app(world.parts, shortcut)
    server = HttpServer(app, "127.0.0.1", 0, manners=manners, variable="LPO_PORT")
    await server.start()
    try:
        yield Listener(world, server, counting)
    finally:
        await server.stop(0)


def get(target: str, secret: str, *more: str) -> bytes:
    """Return the bytes of a usual request."""
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: prices",
        f"Authorization: Bearer {secret}",
        *more,
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


def without_new(answer: bytes) -> bytes:
    """Return an answer without what is new in each: the date and the request's id."""
    said = _ID.search(answer)
    if said is not None:
        answer = answer.replace(said[1], b"ID")
    return _DATE.sub(b"date: NOW", answer)


def without_ids(records: list[UsageRecord]) -> list[tuple[object, ...]]:
    """Return usage records without their ids."""
    return [
        tuple(getattr(record, name) for name in record.__struct_fields__[1:])
        for record in records
    ]
