from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close
from websockets.http11 import Request, Response

from trinity_beast.adapters.exchange_sockets import WebSocketExchanges, sockets
from trinity_beast.ports.exchanges import ExchangeClosed, ExchangeUnreachable

Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def venue(handler: Handler) -> AsyncGenerator[str]:
    async with serve(handler, "127.0.0.1", 0, max_size=None) as server:
        port: int = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def unreachable(url: str) -> str:
    with pytest.raises(ExchangeUnreachable) as caught:
        await WebSocketExchanges().connect(url)
    return str(caught.value.context["reason"])


async def test_frames_go_out_as_text_and_come_back_as_bytes() -> None:
    async with venue(echo) as url:
        opened = await WebSocketExchanges().connect(url)
        await opened.send('{"op":"ping","é":1}')

        assert await opened.receive() == '{"op":"ping","é":1}'.encode()
        await opened.close()


async def test_frames_keep_their_order() -> None:
    async def count(connection: ServerConnection) -> None:
        for number in range(100):
            await connection.send(str(number))
        await connection.wait_closed()

    async with venue(count) as url:
        opened = await WebSocketExchanges().connect(url)

        assert [await opened.receive() for _ in range(100)] == [
            str(number).encode() for number in range(100)
        ]
        await opened.close()


async def test_an_order_book_of_five_megabytes_is_let_through() -> None:
    async def huge(connection: ServerConnection) -> None:
        await connection.send("x" * 5_079_379)
        await connection.wait_closed()

    async with venue(huge) as url:
        opened = await WebSocketExchanges().connect(url)

        assert len(await opened.receive()) == 5_079_379
        await opened.close()


async def test_a_frame_beyond_all_measure_ends_the_connection() -> None:
    async def endless(connection: ServerConnection) -> None:
        await connection.send("x" * (sockets.MOST_BYTES + 1))
        await connection.wait_closed()

    async with venue(endless) as url:
        opened = await WebSocketExchanges().connect(url)

        with pytest.raises(ExchangeClosed):
            await opened.receive()
        await opened.close()


async def test_a_venue_that_closes_says_why() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.close(1001, "going away")

    async with venue(leave) as url:
        opened = await WebSocketExchanges().connect(url)

        with pytest.raises(ExchangeClosed) as received:
            await opened.receive()
        with pytest.raises(ExchangeClosed):
            await opened.send("too late")
        await opened.close()

    assert received.value.context["reason"] == "1001 going away"


async def test_a_venue_may_close_without_a_word() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.close(1000)

    async with venue(leave) as url:
        opened = await WebSocketExchanges().connect(url)

        with pytest.raises(ExchangeClosed) as caught:
            await opened.receive()
        await opened.close()

    assert caught.value.context["reason"] == "1000"


async def test_a_connection_that_breaks_is_closed() -> None:
    async def drop(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with venue(drop) as url:
        opened = await WebSocketExchanges().connect(url)

        with pytest.raises(ExchangeClosed) as caught:
            await opened.receive()
        await opened.close()

    assert caught.value.context["reason"] == "1006 the connection broke"


def test_our_own_reason_is_told_when_we_gave_up() -> None:
    timed_out = ConnectionClosedError(None, Close(1011, "keepalive ping timeout"), None)

    assert sockets.why_closed(timed_out) == (
        "1006 the connection broke (keepalive ping timeout)"
    )


async def test_closing_ends_the_waiting_and_may_be_done_twice() -> None:
    async with venue(echo) as url:
        opened = await WebSocketExchanges().connect(url)
        waiting = asyncio.create_task(_receive_until_closed(opened.receive))
        await asyncio.sleep(0)

        await opened.close()
        await opened.close()

        assert await waiting == "1000"


async def _receive_until_closed(receive: Callable[[], Awaitable[str | bytes]]) -> str:
    with pytest.raises(ExchangeClosed) as caught:
        await receive()
    return str(caught.value.context["reason"])


async def test_an_address_that_the_venue_does_not_serve_is_told_by_its_status() -> None:
    def forbid(connection: ServerConnection, request: Request) -> Response:
        del request
        return connection.respond(HTTPStatus.FORBIDDEN, "not in your country")

    async with serve(echo, "127.0.0.1", 0, process_request=forbid) as server:
        port: int = next(iter(server.sockets)).getsockname()[1]

        assert await unreachable(f"ws://127.0.0.1:{port}") == "HTTP 403"


async def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]

        assert (
            await unreachable(f"ws://127.0.0.1:{port}") == "the connection was refused"
        )


async def test_a_server_that_speaks_no_websocket_is_unreachable() -> None:
    async def gibberish(
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(gibberish, "127.0.0.1", 0)
    async with server:
        port: int = server.sockets[0].getsockname()[1]
        reason = await unreachable(f"ws://127.0.0.1:{port}")

    assert reason


@pytest.mark.parametrize("url", ["https://127.0.0.1", "wss://", "ws://127.0.0.1:99999"])
async def test_what_is_no_address_is_unreachable(url: str) -> None:
    assert await unreachable(url)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "no answer within 10 s"),
        (socket.gaierror(-2, "unknown"), "the name cannot be resolved"),
        (ConnectionResetError(), "the connection was reset"),
        (ssl.SSLCertVerificationError(1, "self-signed"), "TLS failed (self-signed)"),
        (OSError(), "OSError"),
        (OSError("x" * 500), "x" * 120),
    ],
)
def test_every_failure_has_a_short_reason(error: Exception, reason: str) -> None:
    assert sockets.why_not(error) == reason
