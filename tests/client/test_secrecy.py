"""The key is sent to the server and goes nowhere else."""

from __future__ import annotations

import asyncio
import logging
import ssl
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.either_client import Pace
from support.ports import free_port
from support.price_server import KEY, PLAIN, Answer, events, problem
from trinity_beast.client import (
    NEVER,
    AnswerUnreadable,
    AsyncBeastClient,
    BeastClient,
    BeastError,
    InvalidRequest,
    MissingKey,
    Options,
    UnknownKey,
    Unreachable,
)
from trinity_beast.client.effects import Exchange
from trinity_beast.client.parts import Parts

if TYPE_CHECKING:
    from client.conftest import MakeClient
    from support.price_server import PriceServer

SECRET = KEY[8:]
ONCE = Options(retry=NEVER, reconnect=NEVER, udp_timeout_s=0.05, udp_port=1)


def locals_of(error: BaseException) -> str:
    """Return all that a crash report with local variables would show."""
    shown: list[str] = []
    for frame, _ in traceback.walk_tb(error.__traceback__):
        # The test's own frames know the key, of course.
        if "trinity_beast/client" in frame.f_code.co_filename:
            shown += [repr(value) for value in frame.f_locals.values()]
    return " ".join(shown)


async def test_no_error_holds_the_key_nor_do_the_frames_it_passed(
    make_client: MakeClient,
    server: PriceServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    nowhere = f"http://127.0.0.1:{free_port()}"
    server.answers = [problem(401, "unknown_key"), Answer("<html>"), None]
    caught: list[BaseException] = []

    for url in (server.url, server.url, server.url, nowhere):
        client = make_client(ONCE, url)
        for ask in (
            lambda it=client: it.price("BTC"),
            lambda it=client: it.hear(1),
            lambda it=client: it.hear(1, over="websocket"),
            lambda it=client: it.udp_price("BTC", signed=False),
        ):
            with pytest.raises(BeastError) as told:
                await ask()
            caught.append(told.value)

    shown = "".join("".join(traceback.format_exception(error)) for error in caught)
    shown += "".join(locals_of(error) for error in caught) + caplog.text
    assert len(caught) == 16
    assert "BTC" in shown
    assert SECRET not in shown


def test_no_part_of_a_client_shows_the_key() -> None:
    parts = Parts(KEY, "http://[::1]:8080", Options(), Pace().surroundings())
    question = parts.udp_asking.price("BTC", signed=False)
    exchange = next(question)

    assert isinstance(exchange, Exchange)
    assert KEY.encode() in exchange.datagram
    assert SECRET not in f"{parts.credentials!r} {exchange!r} {parts.options!r}"
    assert parts.socket_origin == "ws://[::1]:8080"


async def test_a_client_says_whom_it_asks_and_not_as_whom() -> None:
    blocking = BeastClient(KEY, "https://prices.example.org/")
    concurrent = AsyncBeastClient(KEY)

    assert repr(blocking) == "<BeastClient https://prices.example.org>"
    assert repr(concurrent) == "<AsyncBeastClient http://127.0.0.1:8080>"
    blocking.close()
    await concurrent.close()


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("", MissingKey),
        (" \n", MissingKey),
        ("abc\ndef_secret", UnknownKey),
        ("abc def_secret", UnknownKey),
        ("clé_secret", UnknownKey),
        ("k" * 201, UnknownKey),
    ],
)
def test_what_cannot_be_a_key_is_refused_at_once_and_not_repeated(
    key: str,
    kind: type[BeastError],
) -> None:
    with pytest.raises(kind) as told:
        BeastClient(key)

    assert "secret" not in str(told.value)


def test_a_key_read_from_a_file_may_end_with_a_line(server: PriceServer) -> None:
    BeastClient(f"{KEY}\n", server.url).close()


@pytest.mark.parametrize(
    "url",
    [
        "prices.example.org",
        "ftp://prices.example.org",
        "http://",
        "http://[::1",
        "http://host:port",
        "http://user:pass@host",
        "http://host/path",
        "http://host?key=1",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidRequest) as told:
        BeastClient(KEY, url)

    assert "pass" not in str(told.value)


async def test_a_server_whose_certificate_nobody_vouches_for_gets_no_key(
    make_client: MakeClient,
    server: PriceServer,
    certificate: tuple[Path, Path],
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate[1], certificate[0])
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    vouched = ssl.create_default_context(cafile=str(certificate[1]))
    wary = make_client(ONCE, url)

    for ask in (
        lambda: wary.price("BTC"),
        lambda: wary.hear(1),
        lambda: wary.hear(1, over="websocket"),
    ):
        with pytest.raises(Unreachable):
            await ask()
    heard_before = list(server.heard)
    server.answers = [Answer(), events(f"event: price\ndata: {PLAIN}\n\n")]
    trusting = make_client(Options(tls=vouched, retry=NEVER), url)
    price = await trusting.price("BTC")
    told = await trusting.hear(1)
    with pytest.raises(AnswerUnreadable):
        await trusting.hear(1, over="websocket")
    listening.close()
    await listening.wait_closed()

    assert (heard_before, price.asset, told[0].asset) == ([], "BTC", "BTC")
