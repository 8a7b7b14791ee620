"""The way past parser and application: when it is asked, and what it must not break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, cast

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from support.short_way import Raw
from trinity_beast.toolkit.http.protocol import (
    MOST_WHOLE_BYTES,
    WHOLE_REQUEST,
    Manners,
    PoliteProtocol,
)
from trinity_beast.toolkit.http.server import HttpServer
from trinity_beast.toolkit.http.wires import CONNECTION

if TYPE_CHECKING:
    from trinity_beast.toolkit.http.request_ids import RequestIds

KNOWN = b"GET /known HTTP/1.1\r\nHost: x\r\n\r\n"
OTHER = b"GET /other HTTP/1.1\r\nHost: x\r\n\r\n"
SHORT = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nshort"
GRACE_S = 5.0


class Parrot:
    """Says the same to what it knows, and notes what it was asked."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, str]] = []

    def try_answer(self, data: bytes, peer: str) -> bytes | None:
        self.heard.append((data, peer))
        return SHORT if data == KNOWN else None


class Ordinary:
    """An application that answers when it may."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.opened = asyncio.Event()
        self.entered = asyncio.Event()
        self.opened.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        self.entered.set()
        await self.opened.wait()
        await PlainTextResponse(scope["path"])(scope, receive, send)

    @property
    def connection(self) -> PoliteProtocol:
        """The connection of the last request."""
        return cast("PoliteProtocol", self.scopes[-1]["state"][CONNECTION])


class House:
    """A listener with a shortcut, and connections to it."""

    def __init__(self, request_ids: RequestIds, ends: AsyncExitStack) -> None:
        self.parrot = Parrot()
        self.app = Ordinary()
        self.manners = Manners(request_ids, linger_s=0.05, shortcut=self.parrot)
        self.server = HttpServer(
            self.app,
            "127.0.0.1",
            0,
            manners=self.manners,
            variable="LPO_PORT",
        )
        self._ends = ends

    async def connect(self) -> Raw:
        if self.server.port == 0:
            await self.server.start()
            self._ends.push_async_callback(self.server.stop, 0)
        address = "127.0.0.1", self.server.port
        reader, writer = await asyncio.open_connection(*address)
        self._ends.callback(writer.close)
        return Raw(reader, writer)


@pytest.fixture
async def house(request_ids: RequestIds) -> AsyncIterator[House]:
    async with AsyncExitStack() as ends:
        yield House(request_ids, ends)


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


async def test_what_is_known_is_answered_at_once(house: House) -> None:
    connection = await house.connect()

    answers = [await connection.ask(raw) for raw in (KNOWN, OTHER, KNOWN, KNOWN, OTHER)]

    assert [body_of(answer) for answer in answers] == [
        b"short",
        b"/other",
        b"short",
        b"short",
        b"/other",
    ]
    assert len(house.app.scopes) == 2
    assert house.parrot.heard[:2] == [(KNOWN, "127.0.0.1"), (OTHER, "127.0.0.1")]


async def test_requests_in_one_piece_are_answered_in_order(house: House) -> None:
    connection = await house.connect()

    first = await connection.ask(KNOWN + OTHER + KNOWN)
    rest = [await connection.hear() for _ in range(2)]

    assert [body_of(answer) for answer in (first, *rest)] == [
        b"/known",
        b"/other",
        b"/known",
    ]
    assert all(WHOLE_REQUEST not in scope for scope in house.app.scopes)


async def test_nothing_overtakes_an_answer_that_is_being_made(house: House) -> None:
    connection = await house.connect()
    house.app.opened.clear()

    connection.writer.write(OTHER)
    await house.app.entered.wait()
    connection.writer.write(KNOWN)
    await asyncio.sleep(0.02)
    house.app.opened.set()
    answers = [await connection.hear() for _ in range(2)]

    assert [body_of(answer) for answer in answers] == [b"/other", b"/known"]
    assert [data for data, _ in house.parrot.heard] == [OTHER]


@pytest.mark.parametrize("size", [1, 4, 20, len(KNOWN) - 1])
async def test_a_request_in_parts_takes_the_ordinary_way(
    house: House,
    size: int,
) -> None:
    connection = await house.connect()
    for at in range(0, len(KNOWN) - size, size):
        connection.writer.write(KNOWN[at : at + size])
        await connection.writer.drain()
        await asyncio.sleep(0.001)
    rest = KNOWN[len(range(0, len(KNOWN) - size, size)) * size :]

    answer = await connection.ask(rest)

    assert body_of(answer) == b"/known"
    assert WHOLE_REQUEST not in house.app.scopes[0]


async def test_what_follows_a_part_is_never_taken_for_a_request(house: House) -> None:
    connection = await house.connect()
    connection.writer.write(b"G")
    await asyncio.sleep(0.01)

    answer = await connection.ask(KNOWN)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert await connection.is_closed()


async def test_a_body_is_never_taken_for_a_request(house: House) -> None:
    connection = await house.connect()
    head = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(KNOWN)
    connection.writer.write(head)
    await asyncio.sleep(0.01)

    answer = await connection.ask(KNOWN)

    assert body_of(answer) == b"/body"


@pytest.mark.parametrize(
    ("raw", "is_fit"),
    [
        (OTHER, True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", False),
        (OTHER + OTHER[:5], False),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * MOST_WHOLE_BYTES + b"\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n", False),
        (OTHER + b"\x00", False),
    ],
)
async def test_only_a_usual_whole_request_is_fit_to_be_remembered(
    house: House,
    raw: bytes,
    is_fit: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    connection = await house.connect()

    await connection.ask(raw)
    async with asyncio.timeout(GRACE_S):
        await house.app.entered.wait()

    kept: object = house.app.scopes[0].get(WHOLE_REQUEST)
    assert kept == (raw if is_fit else None)


async def test_without_a_shortcut_nothing_is_remembered(
    request_ids: RequestIds,
) -> None:
    async with AsyncExitStack() as ends:
        house = House(request_ids, ends)
        house.manners.shortcut = None
        connection = await house.connect()

        answer = await connection.ask(KNOWN)

    assert body_of(answer) == b"/known"
    assert WHOLE_REQUEST not in house.app.scopes[0]


async def test_a_client_that_does_not_read_is_not_written_to_faster(
    house: House,
) -> None:
    connection = await house.connect()
    await connection.ask(OTHER)
    ours = house.app.connection

    ours.pause_writing()
    connection.writer.write(KNOWN)
    await asyncio.sleep(0.02)
    waiting = len(house.app.scopes)
    ours.resume_writing()
    answer = await connection.hear()

    assert waiting == 2
    assert body_of(answer) == b"/known"


async def test_the_clock_of_the_first_request_stops_with_a_short_answer(
    house: House,
) -> None:
    house.manners.request_timeout_s = 0.05
    connection = await house.connect()

    first = await connection.ask(KNOWN)
    await asyncio.sleep(0.1)
    second = await connection.ask(KNOWN)

    assert [first, second] == [SHORT, SHORT]


async def test_a_request_that_never_ends_is_cut_after_a_short_answer_too(
    house: House,
) -> None:
    house.manners.request_timeout_s = 0.05
    connection = await house.connect()

    await connection.ask(KNOWN)
    connection.writer.write(KNOWN[:10])

    assert await connection.is_closed()


@pytest.mark.parametrize("asked", [[KNOWN], [OTHER, KNOWN], [KNOWN, OTHER]])
async def test_an_idle_connection_is_closed_after_a_while(
    house: House,
    asked: list[bytes],
) -> None:
    house.manners.keep_alive_s = 0.05
    connection = await house.connect()

    for raw in asked:
        await connection.ask(raw)

    assert await connection.is_closed()


async def test_short_answers_keep_a_connection_open(house: House) -> None:
    house.manners.keep_alive_s = 0.2
    connection = await house.connect()
    answers: list[bytes] = []

    for _ in range(6):
        answers.append(await connection.ask(KNOWN))
        await asyncio.sleep(0.06)

    assert answers == [SHORT] * 6
    assert await connection.is_closed()


async def test_while_the_listener_stops_each_answer_closes_its_connection(
    house: House,
) -> None:
    connection = await house.connect()
    await connection.ask(KNOWN)

    stopping = asyncio.create_task(house.server.stop(GRACE_S))
    await asyncio.sleep(0)
    answer = await connection.ask(KNOWN)

    assert b"\r\nconnection: close\r\n" in answer
    assert body_of(answer) == b"/known"
    assert await connection.is_closed()
    await stopping


async def test_a_connection_with_short_answers_alone_is_idle_when_it_stops(
    house: House,
) -> None:
    connection = await house.connect()
    await connection.ask(KNOWN)

    async with asyncio.timeout(GRACE_S):
        await house.server.stop(60)

    assert await connection.is_closed()


async def test_a_client_that_goes_away_leaves_no_clock_behind(house: House) -> None:
    connection = await house.connect()
    await connection.ask(OTHER)
    await connection.ask(KNOWN)
    ours = house.app.connection

    transport = connection.writer.transport
    transport.abort()
    async with asyncio.timeout(GRACE_S):
        while ours.connections:  # noqa: ASYNC110 - the server has nothing to wait on
            await asyncio.sleep(0.005)

    assert ours.timeout_keep_alive_task is None
