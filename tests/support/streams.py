"""A listener with streams, and clients that follow them over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.client import ClientConnection, connect

from support.lpo import bearer
from trinity_beast.features.keys import ApiKey, Template
from trinity_beast.features.prices import LpoParts, build_lpo_app
from trinity_beast.features.streams import add_streams
from trinity_beast.toolkit.http.protocol import Manners
from trinity_beast.toolkit.http.request_ids import RequestIds
from trinity_beast.toolkit.http.server import HttpServer
from trinity_beast.toolkit.http.wires import Wire

if TYPE_CHECKING:
    from support.lpo import World

TOO_LONG_S = 10.0
GRACE_S = 10.0


class Listener:
    """The application of a world with its streams, on a port of its own."""

    def __init__(self, world: World, parts: LpoParts | None = None) -> None:
        self.world = world
        parts = parts or world.parts
        ids = RequestIds(parts.clock, parts.randomness)
        self.app = build_lpo_app(parts)
        self.hub = add_streams(self.app, parts)
        # Short, so that a stream that outlives it is seen to.
        manners = Manners(ids, linger_s=0.05, request_timeout_s=0.2)
        self.server = HttpServer(
            self.app,
            "127.0.0.1",
            0,
            manners=manners,
            variable="LPO_PORT",
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def wires(self) -> list[Wire]:
        """Return the server's ends of all streams."""
        return [client.wire for client in self.hub.clients]

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop(0)

    def new_key(self, **changes: object) -> str:
        """Issue a key that may have streams."""
        limits = {"tier": "partner", "rate_limit_qps": 0, "burst_limit": 0}
        return self.world.new_key(**(limits | changes))

    @asynccontextmanager
    async def events(
        self,
        assets: str,
        key: str,
        **headers: str,
    ) -> AsyncGenerator[EventClient]:
        """Follow assets by server-sent events."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        client = EventClient(reader, writer)
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        await client.ask(f"/stream/prices?assets={assets}", bearer(key) | more)
        try:
            yield client
        finally:
            writer.close()

    def socket(
        self,
        key: str,
        query: str = "",
        path: str = "/ws/prices",
        **headers: str,
    ) -> connect:
        """Connect a WebSocket."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return connect(
            f"ws://127.0.0.1:{self.server.port}{path}{query}",
            additional_headers=(bearer(key) if key else {}) | more,
            compression=None,
            ping_interval=None,
            close_timeout=1,
        )


@dataclass
class Told:
    """One event of an event stream; a comment has no name."""

    name: str
    data: Any
    event_id: str = ""


class EventClient:
    """One event stream, seen from the client."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self._text = ""

    async def ask(self, path: str, headers: dict[str, str]) -> Self:
        lines = [f"GET {path} HTTP/1.1", "Host: x"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(TOO_LONG_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.status = int(head[0].split()[1])
        self.headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        return self

    async def body(self) -> Any:  # noqa: ANN401 - whatever the JSON is
        length = int(self.headers["content-length"])
        return json.loads(await self.reader.readexactly(length))

    async def next(self) -> Told:
        """Return the next event or comment."""
        async with asyncio.timeout(TOO_LONG_S):
            while "\n\n" not in self._text:
                chunk = await self._chunk()
                if not chunk:
                    raise EOFError
                self._text += chunk
        block, _, self._text = self._text.partition("\n\n")
        if block.startswith(":"):
            return Told("", block[1:].strip())
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        data = json.loads(fields["data"], parse_float=str)
        return Told(fields["event"], data, fields.get("id", ""))

    async def ended(self) -> bool:
        """Tell whether the stream ends, or is cut, here."""
        try:
            async with asyncio.timeout(TOO_LONG_S):
                return not await self._chunk()
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return True

    async def _chunk(self) -> str:
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        return (await self.reader.readexactly(size + 2))[:-2].decode()


async def say(socket: ClientConnection, **operation: object) -> None:
    await socket.send(json.dumps(operation))


async def hear(socket: ClientConnection) -> Any:  # noqa: ANN401 - whatever the JSON is
    async with asyncio.timeout(TOO_LONG_S):
        return json.loads(await socket.recv(), parse_float=str)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something holds that nobody announces."""
    async with asyncio.timeout(TOO_LONG_S):
        while not condition():  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.002)


class MemoryWire:
    """A wire whose other end takes as much as a test lets it.

    Attributes:
        taken: What the client has taken.
        owed: What was written and not taken yet.
        takes: Whether the client takes what is written.
        closed: Close code, once the stream has ended; 0 when it was cut.
    """

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.owed: list[bytes] = []
        self.takes = True
        self.closed: tuple[int, str] | None = None
        self.draining = False

    @property
    def owed_bytes(self) -> int:
        return sum(map(len, self.owed))

    def write(self, data: bytes) -> None:
        (self.taken if self.takes else self.owed).append(data)

    def end(self, last: bytes, code: int, reason: str) -> None:
        self.write(last)
        self.closed = code, reason

    def abort(self) -> None:
        self.closed = 0, ""

    def take(self) -> None:
        """Take everything that is owed."""
        self.taken += self.owed
        self.owed.clear()

    def events(self) -> list[tuple[str, Any]]:
        """Return name and data of each message taken since the last call."""
        raw, self.taken = b"".join(self.taken), []
        found: list[tuple[str, Any]] = []
        while raw:
            short = raw[1]
            start = {126: 4, 127: 10}.get(short, 2)
            size = int.from_bytes(raw[2:start], "big") if start > 2 else short
            message = json.loads(raw[start : start + size], parse_float=str)
            found.append((message["event"], message["data"]))
            raw = raw[start + size :]
        return found

    def prices(self) -> dict[str, str]:
        """Return the prices that were told since the last call."""
        return {
            data["asset"]: data["price"]
            for name, data in self.events()
            if name == "price"
        }


class SlowKeys:
    """Keys of a world, found when a test says so."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        self.asked.set()
        await self.may_answer.wait()
        return await self._world.find_by_hash(key_hash)

    async def find_by_hashes(self, key_hashes: Sequence[str]) -> dict[str, ApiKey]:
        return await self._world.find_by_hashes(key_hashes)

    async def list_hashes(self, start: str) -> list[str]:
        return await self._world.list_hashes(start)

    async def free_template(self) -> Template:
        return await self._world.free_template()
