"""`beast price`, as people type it, beside a price server in small."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from typer.testing import CliRunner, Result

from support.price_server import KEY, PLAIN, Answer, problem
from trinity_beast.apps.cli.app import app

if TYPE_CHECKING:
    from support.price_server import DatagramServer, PriceServer

Beast = Callable[..., Awaitable[Result]]


@pytest.fixture
def beast(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: PriceServer,
    datagrams: DatagramServer,
) -> Iterator[Beast]:
    before = structlog.get_config()
    monkeypatch.setenv("BEAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LPO_PORT", str(server.port))
    monkeypatch.setenv("LPO_UDP_PORT", str(datagrams.port))
    monkeypatch.setenv("BEAST_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "200")

    async def typed(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, words)

    yield typed
    structlog.configure(**before)


async def test_a_price_is_one_line_of_json(beast: Beast, server: PriceServer) -> None:
    told = await beast("price", "btc")

    assert (told.exit_code, told.stdout) == (0, f"{PLAIN}\n")
    assert server.heard[0].query["asset"] == "btc"


async def test_several_prices_are_lines_and_what_has_none_is_told_apart(
    beast: Beast,
    server: PriceServer,
) -> None:
    refused = '{"asset":"XXX","error":{"code":"unknown_asset","message":"No XXX."}}'
    server.answers = [Answer(f'{{"count":2,"prices":[{refused},{PLAIN}]}}')]

    told = await beast("price", "XXX", "BTC")

    assert (told.exit_code, told.stdout) == (1, f"{PLAIN}\n")
    assert told.stderr == "XXX: No XXX. [unknown_asset]\n"


async def test_a_refusal_is_told_in_plain_words_and_the_key_is_not(
    beast: Beast,
    server: PriceServer,
) -> None:
    server.answers = [problem(401, "unknown_key", detail="This key is not known.")]

    told = await beast("price", "BTC")

    said = "beast: This key is not known. [unknown_key, request r-1]\n"
    assert (told.exit_code, told.stderr, told.stdout) == (1, said, "")


async def test_prices_come_over_udp_on_demand(
    beast: Beast,
    datagrams: DatagramServer,
) -> None:
    datagrams.say = lambda words: [PLAIN.encode()] if words[0] == "TB1" else []

    told = await beast("price", "BTC", "--udp")

    assert (told.exit_code, told.stdout) == (0, f"{PLAIN}\n")


async def test_where_no_udp_is_served_the_port_is_named(
    beast: Beast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LPO_UDP_PORT", "1")

    told = await beast("price", "BTC", "--udp")

    assert (told.exit_code, "No server answers at udp port 1" in told.stderr) == (
        1,
        True,
    )
