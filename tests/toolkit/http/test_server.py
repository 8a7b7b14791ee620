"""The listener over real sockets on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs

from trinity_beast.toolkit.http.listening import Address, bind_all
from trinity_beast.toolkit.http.protocol import Manners
from trinity_beast.toolkit.http.server import CannotListen, HttpServer, PortInUse

if TYPE_CHECKING:
    from trinity_beast.toolkit.http.api import Api
    from trinity_beast.toolkit.http.request_ids import RequestIds

GET = b"GET /hello?a=1 HTTP/1.1\r\nHost: x\r\n\r\n"
GRACE_S = 5.0


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Connection(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, raw: bytes) -> Answer:
        self.writer.write(raw)
        return await self.read()

    async def read(self) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(int(head[0].split()[1]), headers, body)

    async def is_closed(self) -> bool:
        try:
            return await self.reader.read() == b""
        except ConnectionResetError:
            return True


class Door:
    """An application that answers when it is opened."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.entered.set()
        await self.opened.wait()
        await PlainTextResponse("open")(scope, receive, send)


def server_of(app: ASGIApp, manners: Manners, port: int = 0) -> HttpServer:
    return HttpServer(app, "127.0.0.1", port, manners=manners, variable="LPO_PORT")


@asynccontextmanager
async def serving(app: ASGIApp, manners: Manners) -> AsyncGenerator[HttpServer]:
    server = server_of(app, manners)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0)


@asynccontextmanager
async def connected(server: HttpServer) -> AsyncGenerator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the server has nothing to wait on
            await asyncio.sleep(0.005)


@pytest.fixture
def manners(request_ids: RequestIds) -> Manners:
    return Manners(request_ids, linger_s=0.05)


async def test_a_connection_is_kept_for_many_requests(
    api: Api,
    manners: Manners,
) -> None:
    async with serving(api, manners) as server, connected(server) as connection:
        answers = [await connection.ask(GET) for _ in range(3)]

    assert [(answer.status, answer.body) for answer in answers] == [
        (200, b'{"a":"1"}')
    ] * 3
    assert [answer.headers.get("connection") for answer in answers] == [None] * 3
    assert "server" not in answers[0].headers


async def test_pipelined_requests_are_answered_in_order(
    api: Api,
    manners: Manners,
) -> None:
    second = b"GET /hello?a=2 HTTP/1.1\r\nHost: x\r\n\r\n"

    async with serving(api, manners) as server, connected(server) as connection:
        first = await connection.ask(GET + second)

        assert (first.body, (await connection.read()).body) == (
            b'{"a":"1"}',
            b'{"a":"2"}',
        )


async def test_a_request_may_come_byte_by_byte(api: Api, manners: Manners) -> None:
    async with serving(api, manners) as server, connected(server) as connection:
        for byte in GET[:-1]:
            connection.writer.write(bytes([byte]))
            await connection.writer.drain()
            await asyncio.sleep(0)

        assert (await connection.ask(GET[-1:])).body == b'{"a":"1"}'


async def test_two_listeners_serve_side_by_side(
    api: Api,
    request_ids: RequestIds,
) -> None:
    async with (
        serving(api, Manners(request_ids)) as one,
        serving(PlainTextResponse("two"), Manners(request_ids)) as two,
        connected(one) as to_one,
        connected(two) as to_two,
    ):
        assert (await to_one.ask(GET)).body == b'{"a":"1"}'
        assert (await to_two.ask(GET)).body == b"two"


async def test_a_name_may_stand_for_several_addresses(
    api: Api,
    manners: Manners,
) -> None:
    server = HttpServer(
        api,
        "localhost",
        0,
        manners=manners,
        variable="LPO_PORT",
        reuse_port=True,
    )

    await server.start()
    async with connected(server) as connection:
        assert (await connection.ask(GET)).status == 200
    await server.stop(0)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_all_addresses_share_a_port() -> None:
    addresses = [Address(socket.AF_INET, "127.0.0.1"), Address(socket.AF_INET6, "::1")]

    bound = bind_all(addresses, 0, reuse_port=False)

    ports = {each.getsockname()[1] for each in bound}
    for each in bound:
        each.close()
    assert len(bound) == 2
    assert len(ports) == 1


def test_all_addresses_are_bound_or_none() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    addresses = [Address(socket.AF_INET, host) for host in ("127.0.0.1", "192.0.2.1")]

    with pytest.raises(OSError, match="Cannot assign"):
        bind_all(addresses, port, reuse_port=False)

    socket.create_server(("127.0.0.1", port)).close()


async def test_a_taken_port_is_told_with_its_variable(
    api: Api,
    request_ids: RequestIds,
) -> None:
    async with serving(api, Manners(request_ids)) as server:
        second = server_of(api, Manners(request_ids), server.port)

        with pytest.raises(PortInUse) as refusal:
            await second.start()

        await second.stop(0)
    assert refusal.value.message == (
        f"Port {server.port} on 127.0.0.1 is in use; set LPO_PORT to another port."
    )


async def test_another_address_is_told_too(api: Api, manners: Manners) -> None:
    server = HttpServer(api, "192.0.2.1", 0, manners=manners, variable="LPO_PORT")

    with pytest.raises(CannotListen) as refusal:
        await server.start()

    assert refusal.value.message == (
        "Cannot listen on 192.0.2.1:0 (Cannot assign requested address);"
        " set LPO_PORT or HOST."
    )


async def test_a_head_of_64_kilobytes_is_refused(api: Api, manners: Manners) -> None:
    head = b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 70_000

    async with serving(api, manners) as server, connected(server) as connection:
        answer = await connection.ask(head)

        assert await connection.is_closed()
    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert json.loads(answer.body) == {
        "type": "/errors/payload_too_large",
        "title": "Request too large",
        "status": 413,
        "detail": "The request is too large; at most 65536 bytes are read.",
        "instance": answer.headers["x-request-id"],
        "code": "payload_too_large",
    }


async def test_a_head_within_the_limit_is_served(api: Api, manners: Manners) -> None:
    head = GET[:-2] + b"X-Long: " + b"x" * 60_000 + b"\r\n\r\n"

    async with serving(api, manners) as server, connected(server) as connection:
        assert (await connection.ask(head)).status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=lambda raw: repr(raw[:24]),
)
async def test_what_is_not_http_is_refused_as_a_problem(
    api: Api,
    manners: Manners,
    raw: bytes,
) -> None:
    async with serving(api, manners) as server, connected(server) as connection:
        answer = await connection.ask(raw)

        assert await connection.is_closed()
    assert answer.status == 400
    assert json.loads(answer.body) == {
        "type": "/errors/invalid_request",
        "title": "Request not valid",
        "status": 400,
        "detail": "This is not a valid HTTP/1.1 request.",
        "instance": answer.headers["x-request-id"],
        "code": "invalid_request",
    }


async def test_only_the_first_refusal_is_told(api: Api, manners: Manners) -> None:
    raw = b"GET / HTTP/1.1\r\n" + b"nonsense " * 10_000

    async with serving(api, manners) as server, connected(server) as connection:
        connection.writer.write(raw)

        assert (await connection.read()).status == 400
        assert await connection.is_closed()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(min_size=1, max_size=80), method=st.sampled_from([b"", b"GET /"]))
async def test_no_bytes_make_the_server_fail(
    api: Api,
    manners: Manners,
    raw: bytes,
    method: bytes,
) -> None:
    with capture_logs() as lines:
        async with serving(api, manners) as server, connected(server) as connection:
            connection.writer.write(method + raw + b"\r\n\r\n")
            connection.writer.write_eof()
            answer = await connection.reader.read()

    assert not answer or answer[9:12] in {b"200", b"400", b"404", b"405"}
    assert [line for line in lines if line["log_level"] == "error"] == []


async def test_a_large_body_is_refused_and_the_connection_lives_on(
    api: Api,
    manners: Manners,
) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"

    async with serving(api, manners) as server, connected(server) as connection:
        answer = await connection.ask(head + b" " * 300_000)

        assert (answer.status, json.loads(answer.body)["code"]) == (
            413,
            "payload_too_large",
        )
        assert (await connection.ask(GET)).status == 200


async def test_a_large_chunked_body_is_refused(api: Api, manners: Manners) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"7530\r\n" + b" " * 30_000 + b"\r\n"

    async with serving(api, manners) as server, connected(server) as connection:
        answer = await connection.ask(head + chunk * 3 + b"0\r\n\r\n")

        assert answer.status == 413
        assert (await connection.ask(GET)).status == 200


async def test_a_slow_body_is_waited_for(api: Api, manners: Manners) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n"

    async with serving(api, manners) as server, connected(server) as connection:
        for byte in head + b'{"a":1':
            connection.writer.write(bytes([byte]))
            await asyncio.sleep(0)

        assert (await connection.ask(b"}")).body == b'{"a":1}'


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"GET / HTTP/1.1\r\nX-Slow: ",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{",
    ],
)
async def test_a_request_that_never_ends_is_cut(
    api: Api,
    request_ids: RequestIds,
    start: bytes,
) -> None:
    hasty = Manners(request_ids, request_timeout_s=0.05)

    async with serving(api, hasty) as server, connected(server) as connection:
        connection.writer.write(start)

        assert await connection.is_closed()


async def test_a_client_that_hangs_up_in_its_body_is_forgotten(
    api: Api,
    manners: Manners,
) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{"

    with capture_logs() as lines:
        async with serving(api, manners) as server:
            async with connected(server) as connection:
                connection.writer.write(head)
            await until(lambda: bool(lines))

    assert [line["event"] for line in lines] == ["the client went away"]


async def test_stopping_finishes_what_is_being_answered(manners: Manners) -> None:
    door = Door()
    server = server_of(door, manners)
    await server.start()

    async with connected(server) as connection:
        connection.writer.write(GET)
        await door.entered.wait()
        stopping = asyncio.create_task(server.stop(GRACE_S))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)
        door.opened.set()
        answer = await connection.read()
        assert await connection.is_closed()

    await stopping
    assert (answer.status, answer.headers["connection"]) == (200, "close")


async def test_a_kept_connection_is_told_before_it_is_closed(
    api: Api,
    manners: Manners,
) -> None:
    server = server_of(api, manners)
    await server.start()

    async with connected(server) as connection:
        before = await connection.ask(GET)
        stopping = asyncio.create_task(server.stop(GRACE_S))
        await asyncio.sleep(0)
        after = await connection.ask(GET)
        assert await connection.is_closed()

    await stopping
    assert "connection" not in before.headers
    assert (after.status, after.headers["connection"]) == (200, "close")


async def test_idle_connections_do_not_hold_up_the_end(
    api: Api,
    manners: Manners,
) -> None:
    server = server_of(api, manners)
    await server.start()

    async with connected(server) as fresh, connected(server) as used:
        await used.ask(GET)
        async with asyncio.timeout(GRACE_S):
            await server.stop(60)

        assert await fresh.is_closed()
        assert await used.is_closed()


async def test_what_takes_longer_than_the_grace_is_cut_off(manners: Manners) -> None:
    door = Door()
    server = server_of(door, manners)
    await server.start()

    async with connected(server) as connection:
        connection.writer.write(GET)
        await door.entered.wait()
        await server.stop(0.05)

        assert await connection.is_closed()


async def test_a_head_that_has_begun_is_given_the_grace(
    api: Api,
    manners: Manners,
) -> None:
    server = server_of(api, manners)
    await server.start()

    async with connected(server) as connection:
        await connection.ask(GET)
        connection.writer.write(GET[:20])
        await asyncio.sleep(0.01)
        stopping = asyncio.create_task(server.stop(GRACE_S))
        await asyncio.sleep(0.1)
        answer = await connection.ask(GET[20:])

    await stopping
    assert (answer.status, answer.headers["connection"]) == (200, "close")


async def test_stopping_twice_is_not_an_error(api: Api, manners: Manners) -> None:
    server = server_of(api, manners)
    await server.stop(0)
    await server.start()
    await server.stop(0)
    await server.stop(0)
