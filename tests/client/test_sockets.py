"""The same streams over a WebSocket."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from support.ports import free_port
from support.price_server import KEY, PLAIN
from trinity_beast.client import (
    Options,
    RetryPolicy,
    RevokedKey,
    TierNotAllowed,
    TimedOut,
    Unreachable,
)

if TYPE_CHECKING:
    from client.conftest import MakeClient
    from support.either_client import EitherClient, Pace

ONCE = RetryPolicy(most_retries=0)
REFUSAL = b'{"code":"tier_not_allowed","detail":"Not in your plan.","status":403}'


class Sockets:
    """A WebSocket server that sends what a test prepared."""

    def __init__(self) -> None:
        self.url = ""
        self.heard: list[tuple[str, str, str]] = []
        self.turns: list[list[str | bytes]] = []
        self.pause_s = 0.0
        self.close_with: tuple[int, str] | None = None
        self.refusal: Callable[[ServerConnection], Response] | None = None

    async def talk(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request
        greeting = str(await connection.recv())
        self.heard.append((request.path, request.headers["Authorization"], greeting))
        await asyncio.sleep(self.pause_s)
        for message in self.turns.pop(0):
            await connection.send(message)
        if self.turns:
            await connection.close()
        elif self.close_with:
            await connection.close(*self.close_with)
        else:
            await connection.wait_closed()

    def refuse(self, connection: ServerConnection, _: Request) -> Response | None:
        return self.refusal(connection) if self.refusal else None


@pytest.fixture
async def sockets() -> AsyncIterator[Sockets]:
    sockets = Sockets()
    async with serve(
        sockets.talk,
        "127.0.0.1",
        0,
        process_request=sockets.refuse,
        close_timeout=1,
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        sockets.url = f"http://127.0.0.1:{port}"
        yield sockets


@pytest.fixture
def client(make_client: MakeClient, sockets: Sockets) -> EitherClient:
    return make_client(url=sockets.url)


def message(event_id: str, name: str = "event") -> str:
    return f'{{"{name}":"price","id":"{event_id}",{PLAIN[1:]}'


async def test_events_are_the_same_as_in_an_event_stream(
    client: EitherClient,
    sockets: Sockets,
) -> None:
    nested = f'{{"event":"price","id":"3","data":{PLAIN}}}'
    sockets.turns = [[message("1"), message("2", "type"), nested]]

    heard = await client.hear(3, over="websocket")

    path, authorization, greeting = sockets.heard[0]
    assert (path, authorization) == ("/ws/prices", f"Bearer {KEY}")
    assert json.loads(greeting) == {"op": "subscribe", "assets": ["BTC"]}
    assert [each.event_id for each in heard] == ["1", "2", "3"]
    assert {each.price and each.price.to_json() for each in heard} == {PLAIN}


async def test_messages_that_are_not_known_are_passed_over(
    client: EitherClient,
    sockets: Sockets,
) -> None:
    sockets.turns = [["no JSON", "[]", b"\xff", '{"op":"subscribed"}', message("1")]]

    heard = await client.hear(1, over="websocket")

    assert [each.event_id for each in heard] == ["1"]


async def test_a_closed_socket_is_opened_again(
    client: EitherClient,
    sockets: Sockets,
    pace: Pace,
) -> None:
    sockets.turns = [[message("1")], [message("2")]]

    heard = await client.hear(2, over="websocket")

    greetings = [json.loads(greeting) for _, _, greeting in sockets.heard]
    again = {"op": "subscribe", "assets": ["BTC"], "last_event_id": "1"}
    assert [each.event_id for each in heard] == ["1", "2"]
    assert (greetings[1], pace.waits) == (again, [0.25])


async def test_a_socket_that_does_not_answer_pings_is_taken_for_broken(
    make_client: MakeClient,
) -> None:
    async def fall_silent(
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        protocol = ServerProtocol()
        while not protocol.data_to_send():
            protocol.receive_data(await reader.read(65_536))
            for request in protocol.events_received():
                assert isinstance(request, Request)
                protocol.send_response(protocol.accept(request))
                writer.writelines(protocol.data_to_send())
                await reader.read()
                writer.close()
                return

    mute = await asyncio.start_server(fall_silent, "127.0.0.1", 0)
    port = mute.sockets[0].getsockname()[1]
    options = Options(silence_s=0.1, reconnect=ONCE)
    client = make_client(options, f"http://127.0.0.1:{port}")

    with pytest.raises(Unreachable, match="fell silent"):
        await client.hear(1, over="websocket")
    mute.close()


async def test_a_socket_that_only_answers_pings_is_alive(
    make_client: MakeClient,
    sockets: Sockets,
) -> None:
    sockets.turns = [[message("1")]]
    sockets.pause_s = 0.3
    client = make_client(Options(silence_s=0.1, reconnect=ONCE), sockets.url)

    heard = await client.hear(1, over="websocket")

    assert [each.event_id for each in heard] == ["1"]


async def test_a_refusal_before_the_socket_opens_is_read_like_any_other(
    client: EitherClient,
    sockets: Sockets,
) -> None:
    def refusal(connection: ServerConnection) -> Response:
        response = connection.respond(HTTPStatus.FORBIDDEN, "")
        response.body = REFUSAL
        response.headers["X-Request-Id"] = "r-9"
        del response.headers["Content-Length"]
        response.headers["Content-Length"] = str(len(REFUSAL))
        return response

    sockets.refusal = refusal

    with pytest.raises(TierNotAllowed, match=r"Not in your plan\. .*r-9"):
        await client.hear(1, over="websocket")


@pytest.mark.parametrize(
    "told",
    [
        '{"event":"error","code":"revoked_key","message":"Revoked."}',
        '{"event":"error","error":{"code":"revoked_key","message":"Revoked."}}',
        '{"error":{"code":"revoked_key","message":"Revoked."}}',
    ],
)
async def test_a_refusal_while_it_is_open_is_raised(
    client: EitherClient,
    sockets: Sockets,
    told: str,
) -> None:
    sockets.turns = [[told]]

    with pytest.raises(RevokedKey, match="Revoked"):
        await client.hear(1, over="websocket")


async def test_a_reason_of_closing_that_is_a_code_is_understood(
    client: EitherClient,
    sockets: Sockets,
) -> None:
    sockets.turns = [[]]
    sockets.close_with = (1008, "revoked_key")

    with pytest.raises(RevokedKey):
        await client.hear(1, over="websocket")


async def test_where_no_websocket_listens_the_client_says_so(
    make_client: MakeClient,
) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    rude = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = rude.sockets[0].getsockname()[1]
    options = Options(retry=ONCE)

    for url in (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"):
        with pytest.raises(Unreachable):
            await make_client(options, url).hear(1, over="websocket")
    rude.close()


async def test_a_server_that_falls_silent_during_the_handshake_is_given_up(
    make_client: MakeClient,
    certificate: tuple[Path, Path],
) -> None:
    """Over TLS, where a thread that reads could not be woken."""
    over = asyncio.Event()

    async def say_nothing(
        _: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        await over.wait()
        writer.transport.abort()

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate[1], certificate[0])
    mute = await asyncio.start_server(say_nothing, "127.0.0.1", 0, ssl=tls)
    url = f"https://127.0.0.1:{mute.sockets[0].getsockname()[1]}"
    trusting = ssl.create_default_context(cafile=str(certificate[1]))

    with pytest.raises(TimedOut):
        await make_client(Options(timeout_s=0.3, retry=ONCE, tls=trusting), url).hear(
            1,
            over="websocket",
        )
    over.set()
    mute.close()
    await mute.wait_closed()
