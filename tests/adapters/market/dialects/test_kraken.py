from __future__ import annotations

import json
from typing import Any

import pytest

from support.clocks import NOON_NS
from trinity_beast.adapters.market.dialects import Conversation, Listing
from trinity_beast.adapters.market.dialects.kraken import KrakenDialect
from trinity_beast.adapters.market.tape import Trade

TIMES = {
    "time_in": "2026-09-21T14:13:20.000000Z",
    "time_out": "2026-09-21T14:13:20.000041Z",
}


@pytest.fixture
def kraken() -> KrakenDialect:
    return KrakenDialect(Listing(["BTC/USD", "ETH/USD"]))


def hear(
    dialect: KrakenDialect,
    talk: Conversation,
    request: object,
) -> list[dict[str, Any]]:
    answers = dialect.hear(talk, json.dumps(request), NOON_NS)
    return [json.loads(answer) for answer in answers]


def subscribe(*symbols: str, **more: object) -> dict[str, object]:
    params = {"channel": "trade", "symbol": list(symbols), **more}
    return {"method": "subscribe", "params": params}


def test_it_says_how_the_system_is_with_an_id_beyond_signed_numbers(
    kraken: KrakenDialect,
    talk: Conversation,
) -> None:
    (hello,) = kraken.hello(talk, NOON_NS)
    status: dict[str, object] = {
        "version": "2.0.10",
        "system": "online",
        "api_version": "v2",
        "connection_id": 0x8123456789ABCDEF,
        "upcoming_maintenance": [],
        "emergency": [],
    }

    assert json.loads(hello) == {
        "channel": "status",
        "type": "update",
        "data": [status],
    }


def test_each_symbol_has_its_own_answer_and_a_bad_one_spoils_no_other(
    kraken: KrakenDialect,
    talk: Conversation,
) -> None:
    answers = hear(kraken, talk, subscribe("BTC/USD", "XBT/EUR", "ETH/USD"))

    def accepted(symbol: str) -> dict[str, object]:
        result = {"channel": "trade", "snapshot": True, "symbol": symbol}
        return {"method": "subscribe", "result": result, "success": True, **TIMES}

    assert answers == [
        accepted("BTC/USD"),
        {
            "error": "Currency pair not supported XBT/EUR",
            "method": "subscribe",
            "success": False,
            "symbol": "XBT/EUR",
            **TIMES,
        },
        accepted("ETH/USD"),
    ]
    assert talk.take_fresh() == [
        ("trade", "BTC/USD", True),
        ("trade", "ETH/USD", True),
    ]


def test_who_wants_no_snapshot_gets_none(
    kraken: KrakenDialect,
    talk: Conversation,
) -> None:
    request = {**subscribe("BTC/USD", snapshot=False), "req_id": 3}
    (answer,) = hear(kraken, talk, request)

    assert answer["result"]["snapshot"] is False
    assert answer["req_id"] == 3
    assert talk.take_fresh() == [("trade", "BTC/USD", False)]


def test_a_symbol_can_be_left(kraken: KrakenDialect, talk: Conversation) -> None:
    hear(kraken, talk, subscribe("BTC/USD"))
    (answer,) = hear(kraken, talk, {**subscribe("BTC/USD"), "method": "unsubscribe"})

    assert answer == {
        "method": "unsubscribe",
        "result": {"channel": "trade", "symbol": "BTC/USD"},
        "success": True,
        **TIMES,
    }
    assert not talk.subscribed


def test_a_ping_is_answered_with_its_number_if_it_has_one(
    kraken: KrakenDialect,
    talk: Conversation,
) -> None:
    assert hear(kraken, talk, {"method": "ping", "req_id": 1}) == [
        {"method": "pong", "req_id": 1, **TIMES},
    ]
    assert hear(kraken, talk, {"method": "ping"}) == [{"method": "pong", **TIMES}]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"method": "shout"}, "Method not found"),
        (subscribe(), "Channel not supported"),
        ({"method": "subscribe", "params": {"channel": 1}}, "Channel not supported"),
        ([], "Malformed request"),
    ],
)
def test_a_bad_request_is_refused(
    kraken: KrakenDialect,
    talk: Conversation,
    request_: object,
    error: str,
) -> None:
    (answer,) = hear(kraken, talk, request_)

    assert answer["error"] == error
    assert answer["success"] is False


def test_prices_are_numbers_that_keep_their_zeros(
    kraken: KrakenDialect,
    trades: list[Trade],
) -> None:
    ((channel, frame),) = kraken.frames(trades, NOON_NS)
    body = json.loads(frame, parse_float=str)

    assert channel == "trade"
    assert body == {
        "channel": "trade",
        "type": "update",
        "data": [
            {
                "symbol": "BTC-USD",
                "side": "buy",
                "price": price,
                "qty": quantity,
                "ord_type": "limit",
                "trade_id": number,
                "timestamp": "2026-09-21T14:13:20.001234Z",
            }
            for price, quantity, number in [
                ("65000.10", "0.00500000", 8001),
                ("65001.20", "0.00250000", 8002),
            ]
        ],
    }


def test_a_snapshot_holds_the_history_oldest_first(
    kraken: KrakenDialect,
    trades: list[Trade],
) -> None:
    (frame,) = kraken.primer("trade", trades, NOON_NS)
    body = json.loads(frame)

    assert body["type"] == "snapshot"
    assert [trade["trade_id"] for trade in body["data"]] == [8001, 8002]


def test_the_heart_beats_once_anything_is_subscribed(
    kraken: KrakenDialect,
    talk: Conversation,
) -> None:
    before = kraken.heartbeats(talk, lambda _: None, NOON_NS)
    hear(kraken, talk, subscribe("BTC/USD"))
    after = kraken.heartbeats(talk, lambda _: None, NOON_NS)

    assert (before, after) == ((), ('{"channel":"heartbeat"}',))
