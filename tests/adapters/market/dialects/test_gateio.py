from __future__ import annotations

import json
from typing import Any

import pytest

from support.clocks import NOON_NS
from trinity_beast.adapters.market.dialects import Conversation, Listing
from trinity_beast.adapters.market.dialects.gateio import GateioDialect
from trinity_beast.adapters.market.tape import Trade

HEAD = {
    "time": 1_790_000_000,
    "time_ms": 1_790_000_000_000,
    "conn_id": "0123456789abcdef",
}
SUBSCRIBE: dict[str, object] = {
    "time": 1_790_000_000,
    "channel": "spot.trades",
    "event": "subscribe",
    "payload": ["BTC_USDT", "ETH_USDT"],
}


@pytest.fixture
def gate() -> GateioDialect:
    return GateioDialect(Listing(["BTC_USDT", "ETH_USDT"]))


def hear(dialect: GateioDialect, talk: Conversation, request: object) -> dict[str, Any]:
    (answer,) = dialect.hear(talk, json.dumps(request), NOON_NS)
    return json.loads(answer)


def test_the_acknowledgement_looks_like_a_trade_but_for_its_event(
    gate: GateioDialect,
    talk: Conversation,
) -> None:
    assert hear(gate, talk, SUBSCRIBE) == {
        **HEAD,
        "trace_id": "6c00",
        "channel": "spot.trades",
        "event": "subscribe",
        "payload": ["BTC_USDT", "ETH_USDT"],
        "result": {"status": "success"},
        "requestId": "6c00",
    }
    assert talk.symbols("spot.trades") == ("BTC_USDT", "ETH_USDT")


def test_the_time_may_be_left_away_and_an_id_is_repeated(
    gate: GateioDialect,
    talk: Conversation,
) -> None:
    timeless = {key: value for key, value in SUBSCRIBE.items() if key != "time"}
    answer = hear(gate, talk, {**timeless, "id": 12})

    assert answer["result"] == {"status": "success"}
    assert answer["id"] == 12


def test_pairs_can_be_left(gate: GateioDialect, talk: Conversation) -> None:
    hear(gate, talk, SUBSCRIBE)
    request = {**SUBSCRIBE, "event": "unsubscribe", "payload": ["BTC_USDT"]}

    assert hear(gate, talk, request)["event"] == "unsubscribe"
    assert talk.symbols("spot.trades") == ("ETH_USDT",)


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"time": "1790000000"}, 1, "invalid time"),
        ({"time": True}, 1, "invalid time"),
        (
            {"payload": ["BTC_USDT", "LUNARLENS_USDT"]},
            2,
            "unknown currency pair: LUNARLENS_USDT",
        ),
        ({"payload": []}, 2, "empty payload"),
        ({"channel": "spot.gossip"}, 2, "unknown channel: spot.gossip"),
        ({"event": "shout"}, 2, "unknown event: shout"),
    ],
)
def test_one_bad_thing_fails_the_whole_payload(
    gate: GateioDialect,
    talk: Conversation,
    change: dict[str, object],
    code: int,
    text: str,
) -> None:
    answer = hear(gate, talk, {**SUBSCRIBE, **change})

    assert answer["error"] == {"code": code, "message": text}
    assert answer["result"] == {"status": "fail"}
    assert not talk.subscribed


def test_what_is_not_json_is_refused(gate: GateioDialect, talk: Conversation) -> None:
    assert hear(gate, talk, [])["error"] == {"code": 1, "message": "invalid json"}


def test_a_ping_is_answered(gate: GateioDialect, talk: Conversation) -> None:
    ping = {"time": 1_790_000_000, "channel": "spot.ping"}

    assert hear(gate, talk, ping) == {
        **HEAD,
        "channel": "spot.pong",
        "event": "",
        "result": None,
    }


def test_a_trade_s_time_is_a_text_of_milliseconds_with_a_fraction(
    gate: GateioDialect,
    trades: list[Trade],
) -> None:
    trade = trades[0]._replace(symbol="BTC_USDT")
    ((channel, frame),) = gate.frames([trade], NOON_NS)

    assert channel == "spot.trades"
    assert json.loads(frame) == {
        "time": 1_790_000_000,
        "time_ms": 1_790_000_000_000,
        "channel": "spot.trades",
        "event": "update",
        "result": {
            "id": 8001,
            "id_market": 8001,
            "create_time": 1_790_000_000,
            "create_time_ms": "1790000000001.234567",
            "side": "buy",
            "currency_pair": "BTC_USDT",
            "amount": "0.00500000",
            "price": "65000.10",
            "range": "8001-8001",
            "stock": "BTC",
            "money": "USDT",
            "trade_mode": 0,
        },
    }
