"""Frames that we make up have the shape of frames that were recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from typing import cast

import pytest

from support.clocks import NOON_NS
from support.venues import EXCHANGES, PINGS, received, recorded, subscribe, symbol
from trinity_beast.adapters.market.dialects import DIALECTS, Conversation, Listing
from trinity_beast.adapters.market.dialects.dialect import Dialect
from trinity_beast.adapters.market.tape import Trade

ASSETS = {
    "coinbase": "BTC",
    "gemini": "POL",
    "kraken": "DASH",
    "gateio": "GALA",
    "bybit": "IO",
    "okx": "CELO",
}


def shape_of(value: object) -> object:
    """Return names and kinds of a JSON value; of a list, those of its first item."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {key: shape_of(item) for key, item in members.items()}
    if isinstance(value, list):
        return [shape_of(item) for item in cast("list[object]", value)[:1]]
    return "number" if isinstance(value, float) else type(value).__name__


def members_of(value: object, path: str = "") -> set[str]:
    """Return the dotted names of all members."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        named = {f"{path}.{key}": item for key, item in members.items()}
        return set(named).union(*(members_of(v, k) for k, v in named.items()))
    if isinstance(value, list):
        items = cast("list[object]", value)
        return set[str]().union(*(members_of(item, path) for item in items))
    return set()


def shapes(frames: Sequence[str]) -> set[str]:
    return {
        json.dumps(shape_of(json.loads(frame)), sort_keys=True)
        for frame in frames
        if frame != "pong"
    }


def said_of(exchange: str, dialect: Dialect, talk: Conversation) -> list[str]:
    name = symbol(exchange, ASSETS[exchange])
    fills = [
        Trade(name, number, "sell", "65000.1", "0.5", NOON_NS)
        for number in (8001, 8002)
    ]
    said = [
        *dialect.hello(talk, NOON_NS),
        *dialect.hear(talk, subscribe(exchange, [name]), NOON_NS),
        *(
            frame
            for channel, frame in dialect.frames(fills, NOON_NS)
            if channel != "ticker"
        ),
        *dialect.heartbeats(talk, lambda _: fills[-1], NOON_NS),
        *chain.from_iterable(
            dialect.primer(channel, fills, NOON_NS)
            for channel, _, primed in talk.take_fresh()
            if primed
        ),
    ]
    if exchange in PINGS and exchange != "kraken":
        said += dialect.hear(talk, PINGS[exchange], NOON_NS)
    return said


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_whatever_a_venue_says_was_recorded_in_this_shape(
    exchange: str,
    talk: Conversation,
) -> None:
    records = recorded(f"simulated/{exchange}.jsonl.gz")
    kinds = {"trade", "ack", "heartbeat", "status"}
    if exchange == "gemini":
        kinds.add("ticker")
    known = shapes(received(r for r in records if r["kind"] in kinds))

    said = shapes(said_of(exchange, DIALECTS[exchange](Listing(None)), talk))
    assert said <= known
    assert len(said) >= 2


@pytest.mark.parametrize("exchange", ["coinbase", "kraken", "gateio", "bybit", "okx"])
def test_a_trade_has_every_member_that_the_real_exchange_sent(exchange: str) -> None:
    records = recorded(f"{exchange}.jsonl.gz")
    trades = received(r for r in records if r["kind"] == "trade")
    fill = Trade("BTC-USD", 8001, "buy", "65000.1", "0.5", NOON_NS)
    (_, frame), *_ = DIALECTS[exchange](Listing(None)).frames([fill], NOON_NS)

    ours = members_of(json.loads(frame))
    assert any(members_of(json.loads(trade)) <= ours for trade in trades)
