"""A price server in small, written from the contract alone, for tests of the client."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, cast
from urllib.parse import parse_qsl, urlsplit

KEY = "tb_live_" + "k" * 38
UNIX_MS = 1_790_000_000_000
PLAIN = (
    '{"asset":"BTC","price":65012.30,"timestamp":"2026-09-21T14:13:19.500Z",'
    '"source":"coinbase-ws","cached":true,"cache_age_seconds":0.2,"latency_ms":0,'
    '"duration_ms":0}'
)


class Said(NamedTuple):
    """A request as the server read it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """What the server says: a body, or the pieces of an event stream.

    Attributes:
        body: The whole body.
        status: The HTTP status.
        headers: Beyond the usual ones.
        pieces: Of a stream, sent one by one.
        is_silent: The server says no more after that, and does not hang up.
    """

    body: str = PLAIN
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[str, ...] | None = None
    is_silent: bool = False


def problem(status: int, code: str, **more: object) -> Answer:
    """Return a refusal in the problem form."""
    body = {"type": f"/errors/{code}", "status": status, "detail": "No.", "code": code}
    return Answer(json.dumps(body | more), status, (("X-Request-Id", "r-1"),))


def events(*pieces: str, is_silent: bool = False) -> Answer:
    """Return an event stream that ends, or falls silent, after these pieces."""
    return Answer(pieces=pieces, is_silent=is_silent)


class PriceServer:
    """Gives the answers that a test prepared, the last one again and again.

    ``None`` for an answer hangs up.

    Attributes:
        answers: What is said next.
        heard: What was asked.
        is_stuck: An answer could not be sent to its end.
    """

    def __init__(self) -> None:
        self.answers: list[Answer | None] = [Answer()]
        self.heard: list[Said] = []
        self.port = 0
        self.is_stuck = False
        self.ending = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Answer one request, then close the connection."""
        try:
            self.heard.append(await _read(reader))
            answer = self.answers.pop(0) if self.answers[1:] else self.answers[0]
            if answer is not None:
                self.is_stuck = True
                await _write(writer, answer)
                self.is_stuck = False
            if answer is not None and answer.is_silent:
                await self.ending.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def price_server() -> AsyncGenerator[PriceServer]:
    """Run a server on a port of its own."""
    server = PriceServer()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    server.ending.set()
    listening.close()


async def _read(reader: asyncio.StreamReader) -> Said:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    pairs = [line.partition(": ")[::2] for line in lines]
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    return Said(method, url.path, dict(parse_qsl(url.query)), headers, body)


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    kind = "application/json" if answer.pieces is None else "text/event-stream"
    told = dict([("Content-Type", kind), *answer.headers])
    if answer.pieces is None:
        told["Content-Length"] = str(len(answer.body.encode()))
    lines = [f"HTTP/1.1 {answer.status} Said", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in told.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    if answer.pieces is None:
        writer.write(answer.body.encode())
    for piece in answer.pieces or ():
        await writer.drain()
        writer.write(piece.encode())
    await writer.drain()


class DatagramServer(asyncio.DatagramProtocol):
    """Answers datagrams as the contract's section 3.3 says.

    Attributes:
        heard: What came.
        drops: How many datagrams are lost from now on.
        say: Makes the answer instead, given the question's words.
    """

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.drops = 0
        self.say: Callable[[list[str]], list[bytes]] = self._answers
        self.port = 0
        self._nonces: set[str] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)
        if self.drops:
            self.drops -= 1
            return
        assert self._transport is not None
        for answer in self.say(data.decode("ascii").split(" ")):
            self._transport.sendto(answer, addr)

    def _answers(self, words: list[str]) -> list[bytes]:
        if words[0] == "TB1":
            return [self._signed(words)]
        key, assets, *ids = words
        if key != KEY:
            return [b'{"error":"unknown_key"}']
        return [_told(assets, ids)]

    def _signed(self, words: list[str]) -> bytes:
        _, key_id, unix_ms, nonce, assets, mac = words
        key_hash = hashlib.sha256(KEY.encode()).hexdigest()
        signed = " ".join(words[:-1]).encode()
        made = hmac.new(bytes.fromhex(key_hash), signed, hashlib.sha256).hexdigest()
        if key_id != key_hash[:16] or mac != made[:32]:
            return b'{"error":"unknown_key"}'
        if abs(int(unix_ms) - UNIX_MS) > 30_000 or nonce in self._nonces:
            return b'{"error":"invalid_request"}'
        assert len(bytes.fromhex(nonce)) == 8
        self._nonces.add(nonce)
        return _told(assets, [])


def _told(assets: str, ids: list[str]) -> bytes:
    start = f'{{"id":"{ids[0]}",' if ids else "{"
    names = assets.split(",")
    items = [PLAIN.replace("BTC", name) for name in names]
    if len(names) == 1:
        return (start + items[0][1:]).encode()
    return (start + '"prices":[' + ",".join(items) + "]}").encode()


@asynccontextmanager
async def datagram_server() -> AsyncGenerator[DatagramServer]:
    """Run a UDP server on a port of its own."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        DatagramServer,
        local_addr=("127.0.0.1", 0),
    )
    yield server
    transport.close()
