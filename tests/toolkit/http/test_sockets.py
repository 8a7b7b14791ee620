"""WebSockets over real sockets on loopback, with clients of all kinds."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from support.streams import until
from trinity_beast.toolkit.http.protocol import Manners
from trinity_beast.toolkit.http.server import HttpServer
from trinity_beast.toolkit.http.sockets import MOST_OWED_BYTES, PoliteSocket
from trinity_beast.toolkit.http.wires import connection_of

if TYPE_CHECKING:
    from trinity_beast.toolkit.http.request_ids import RequestIds

Talk = Callable[[PoliteSocket, Receive, Send], Awaitable[None]]
HEAD = (
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\n"
)
KEY = f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n"


class Room:
    """An application that opens each socket and then does as a test says."""

    def __init__(self, talk: Talk | None = None) -> None:
        self.talk = talk or self.listen
        self.heard: list[str | None] = []
        self.sockets: list[PoliteSocket] = []
        self.lost = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = connection_of(scope, PoliteSocket)
        self.sockets.append(connection)
        await receive()
        await self.talk(connection, receive, send)

    async def listen(
        self,
        connection: PoliteSocket,
        receive: Receive,
        send: Send,
    ) -> None:
        await send({"type": "websocket.accept"})
        connection.listen(self.heard.append, self.leave)

    def leave(self) -> None:
        self.lost += 1


async def echo(connection: PoliteSocket, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


class Serving:
    """A listener of a room, and ways to it."""

    def __init__(self, room: Room, server: HttpServer) -> None:
        self.room = room
        self.server = server
        self.clients: list[socket.socket] = []

    def connect(self) -> connect:
        url = f"ws://127.0.0.1:{self.server.port}/"
        return connect(url, compression=None, ping_interval=None, close_timeout=1)

    async def raw(self, head: str) -> tuple[socket.socket, bytes]:
        """Send a head by hand; return the socket and what comes first."""
        loop = asyncio.get_running_loop()
        client = socket.socket()
        self.clients.append(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.setblocking(False)  # noqa: FBT003 - the socket module's own word
        await loop.sock_connect(client, ("127.0.0.1", self.server.port))
        await loop.sock_sendall(client, f"{head}\r\n".encode())
        return client, await loop.sock_recv(client, 65_536)


@asynccontextmanager
async def serving(room: Room, request_ids: RequestIds) -> AsyncGenerator[Serving]:
    manners = Manners(request_ids, linger_s=0.05)
    server = HttpServer(room, "127.0.0.1", 0, manners=manners, variable="LPO_PORT")
    await server.start()
    it = Serving(room, server)
    try:
        yield it
    finally:
        for client in it.clients:
            client.close()
        await server.stop(0)


async def closed(client: ClientConnection) -> int | None:
    async with asyncio.timeout(5):
        await client.wait_closed()
    return client.close_code


def masked(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


async def test_an_application_may_wait_for_messages(request_ids: RequestIds) -> None:
    async with (
        serving(Room(echo), request_ids) as it,
        it.connect() as client,
    ):
        await client.send("a")
        await client.send(b"b")

        assert [await client.recv(), await client.recv()] == ["a", b"b"]


async def test_or_listen_to_them(request_ids: RequestIds) -> None:
    async with serving(Room(), request_ids) as it:
        async with it.connect() as client:
            await client.send("a")
            await client.send(b"b")
            await client.send(["c", "d", "e"])
            await until(lambda: len(it.room.heard) == 3)
        await until(lambda: bool(it.room.lost))

    assert it.room.heard == ["a", None, "cde"]
    assert it.room.lost == 1


async def test_what_came_before_it_listened_is_not_lost(
    request_ids: RequestIds,
) -> None:
    may_listen = asyncio.Event()

    async def late(connection: PoliteSocket, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await may_listen.wait()
        await room.listen(connection, receive, ignore)

    async def ignore(_: object) -> None: ...

    room = Room(late)
    async with serving(room, request_ids) as it, it.connect() as client:
        await client.send("a")
        await client.send("b")
        await until(lambda: not room.sockets[0].queue.empty())
        may_listen.set()
        await until(lambda: len(room.heard) == 2)

    assert room.heard == ["a", "b"]


async def test_a_message_waits_for_what_the_one_before_left_to_do(
    request_ids: RequestIds,
) -> None:
    may_go_on = asyncio.Event()
    heard: list[str] = []

    async def rest(text: str | None) -> None:
        await may_go_on.wait()
        heard.append(f"rest of {text}")

    def hear(text: str | None) -> Coroutine[None, None, None] | None:
        heard.append(str(text))
        return rest(text) if text in {"a", "c"} else None

    async def slowly(connection: PoliteSocket, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        connection.listen(hear, lambda: None)

    async with serving(Room(slowly), request_ids) as it, it.connect() as client:
        several = b"".join(masked(Opcode.TEXT, text) for text in (b"a", b"b", b"c"))
        client.transport.write(several)
        await client.send("d")
        await until(lambda: bool(heard))
        before = list(heard)
        may_go_on.set()
        await until(lambda: heard[-1] == "d")

    assert before == ["a"]
    assert heard == ["a", "rest of a", "b", "c", "rest of c", "d"]


async def test_what_is_left_to_do_ends_with_the_connection(
    request_ids: RequestIds,
) -> None:
    may_go_on, done = asyncio.Event(), asyncio.Event()
    heard: list[str | None] = []

    async def rest() -> None:
        await may_go_on.wait()
        done.set()

    def hear(text: str | None) -> Coroutine[None, None, None]:
        heard.append(text)
        return rest()

    async def slowly(connection: PoliteSocket, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        connection.listen(hear, lambda: None)

    async with serving(Room(slowly), request_ids) as it, it.connect() as client:
        client.transport.write(masked(Opcode.TEXT, b"a") + masked(Opcode.TEXT, b"b"))
        await until(lambda: bool(heard))
        it.room.sockets[0].abort()
        await closed(client)
        may_go_on.set()
        await done.wait()

    assert heard == ["a"]


@pytest.mark.parametrize("data", [b"\xff", b"\xed\xa0\x80"])
async def test_text_that_is_none_ends_the_connection(
    request_ids: RequestIds,
    data: bytes,
) -> None:
    async with serving(Room(), request_ids) as it, it.connect() as client:
        client.transport.write(masked(Opcode.TEXT, data))

        assert await closed(client) == 1007


async def test_a_message_of_endless_empty_parts_ends_the_connection(
    request_ids: RequestIds,
) -> None:
    async with serving(Room(), request_ids) as it, it.connect() as client:
        client.transport.write(masked(Opcode.TEXT, b"a", fin=False))
        for _ in range(100):
            client.transport.write(masked(Opcode.CONT, b"", fin=False))

        assert await closed(client) == 1009
    assert it.room.heard == []


async def test_a_frame_against_the_protocol_ends_the_connection(
    request_ids: RequestIds,
) -> None:
    async with serving(Room(), request_ids) as it, it.connect() as client:
        client.transport.write(Frame(Opcode.TEXT, b"a").serialize(mask=False))

        assert await closed(client) == 1002


async def test_whoever_pings_without_end_and_reads_nothing_is_cut_off(
    request_ids: RequestIds,
) -> None:
    pings = masked(Opcode.PING, b"x" * 125) * 100

    async with serving(Room(), request_ids) as it:
        client, _ = await it.raw(HEAD + KEY)
        most = 0
        loop = asyncio.get_running_loop()
        while not it.room.lost:
            with suppress(ConnectionError):
                await loop.sock_sendall(client, pings)
            most = max(most, it.room.sockets[0].owed_bytes)
        await until(lambda: bool(it.room.lost))

    assert most < 2 * MOST_OWED_BYTES


async def test_a_client_that_does_not_answer_pings_is_gone(
    request_ids: RequestIds,
) -> None:
    async with serving(Room(), request_ids) as it:
        await it.raw(HEAD + KEY)
        [connection] = it.room.sockets
        # Something that keeps its close from ever being done.
        while not connection.owed_bytes:
            connection.write(bytes(65_536))
            await asyncio.sleep(0)
        connection.send_keepalive_ping()
        connection.keepalive_timeout()
        await until(lambda: bool(it.room.lost))


async def test_a_client_that_says_goodbye_and_does_not_read_is_gone(
    request_ids: RequestIds,
) -> None:
    async with serving(Room(), request_ids) as it:
        client, _ = await it.raw(HEAD + KEY)
        [connection] = it.room.sockets
        while not connection.owed_bytes:
            connection.write(bytes(65_536))
            await asyncio.sleep(0)
        await asyncio.get_running_loop().sock_sendall(
            client,
            masked(Opcode.CLOSE, b"\x03\xe8"),
        )
        await until(lambda: bool(it.room.lost))
        connection.end(b"", 1000, "too late")


async def test_an_end_is_said_once_and_nothing_comes_after_it(
    request_ids: RequestIds,
) -> None:
    async with serving(Room(), request_ids) as it, it.connect() as client:
        await until(lambda: bool(it.room.sockets))
        [connection] = it.room.sockets
        await until(lambda: connection.handshake_complete)
        connection.end(b"\x81\x01a", 1008, "reason")
        connection.write(b"\x81\x01b")
        connection.end(b"\x81\x01c", 1000, "")
        told = await client.recv()
        with pytest.raises(ConnectionClosed):
            await client.recv()

        assert connection.is_idle
        assert told == "a"
    assert (client.close_code, client.close_reason) == (1008, "reason")


async def test_messages_after_the_end_are_not_heard(request_ids: RequestIds) -> None:
    async with serving(Room(), request_ids) as it:
        client, _ = await it.raw(HEAD + KEY)
        [connection] = it.room.sockets
        connection.end(b"", 1008, "")
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, masked(Opcode.TEXT, b"a"))
        await until(lambda: bool(it.room.lost))

    assert it.room.heard == []


async def test_a_mistake_of_ours_ends_one_connection_and_is_logged(
    request_ids: RequestIds,
) -> None:
    async def broken(connection: PoliteSocket, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        raise ValueError

    def stumble(_: str | None) -> None:
        raise ValueError

    async def stumbling(connection: PoliteSocket, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        connection.listen(stumble, lambda: None)

    async def fail() -> None:
        raise ValueError

    async def failing(connection: PoliteSocket, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        connection.listen(lambda _: fail(), lambda: None)

    for talk in (broken, stumbling, failing):
        with capture_logs() as logs:
            async with serving(Room(talk), request_ids) as it, it.connect() as client:
                client.transport.write(masked(Opcode.TEXT, b"a"))
                assert await closed(client) == 1011

        assert [entry["event"] for entry in logs] == ["socket failed"]


async def test_a_mistake_before_the_socket_opens_is_a_500(
    request_ids: RequestIds,
) -> None:
    async def broken(connection: PoliteSocket, receive: Receive, send: Send) -> None:
        raise ValueError

    async def silent(connection: PoliteSocket, receive: Receive, send: Send) -> None:
        return

    for talk in (broken, silent):
        async with serving(Room(talk), request_ids) as it:
            with pytest.raises(InvalidStatus) as refused:
                await it.connect()

        assert refused.value.response.status_code == 500


async def test_a_client_that_is_gone_when_it_is_let_in_is_no_mistake(
    request_ids: RequestIds,
) -> None:
    may_open, done = asyncio.Event(), asyncio.Event()

    async def late(connection: PoliteSocket, receive: Receive, send: Send) -> None:
        await may_open.wait()
        try:
            await send({"type": "websocket.accept"})
        finally:
            done.set()

    with capture_logs() as logs:
        async with serving(Room(late), request_ids) as it:
            opening = asyncio.create_task(it.raw(HEAD + KEY))
            await until(lambda: bool(it.room.sockets))
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            it.room.sockets[0].abort()
            await until(lambda: it.room.sockets[0].disconnected)
            may_open.set()
            await done.wait()

    assert logs == []


async def test_a_head_that_only_the_socket_refuses_is_answered(
    request_ids: RequestIds,
) -> None:
    async with serving(Room(), request_ids) as it:
        _, answer = await it.raw(HEAD + KEY + f"Cookie: {'x' * 10_000}\r\n")

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b'"code":"invalid_request"' in answer
    assert it.room.sockets == []


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (HEAD, b"400 Bad Request"),
        (HEAD.replace("GET", "POST") + KEY, b"405 Method Not Allowed"),
        (HEAD.replace(": 13", ": 8") + KEY, b"400 Bad Request"),
    ],
)
async def test_a_handshake_that_is_none_is_refused(
    request_ids: RequestIds,
    head: str,
    status: bytes,
) -> None:
    async with serving(Room(), request_ids) as it:
        _, answer = await it.raw(head)

    assert answer.startswith(b"HTTP/1.1 " + status)


async def test_a_listener_that_stops_says_so_to_whom_it_waits_for(
    request_ids: RequestIds,
) -> None:
    async with serving(Room(echo), request_ids) as it, it.connect() as client:
        await client.send("a")
        await client.recv()
        async with asyncio.timeout(2):
            await it.server.stop(5)

        assert await closed(client) == 1001
