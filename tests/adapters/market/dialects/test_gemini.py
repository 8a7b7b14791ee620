from __future__ import annotations

import json

import pytest

from support.clocks import NOON_NS
from trinity_beast.adapters.market.dialects import Conversation, Listing
from trinity_beast.adapters.market.dialects.gemini import GeminiDialect
from trinity_beast.adapters.market.tape import Trade


@pytest.fixture
def gemini() -> GeminiDialect:
    return GeminiDialect(Listing(["btcusd", "ethusd"]))


def hear(dialect: GeminiDialect, talk: Conversation, request: object) -> object:
    (answer,) = dialect.hear(talk, json.dumps(request), NOON_NS)
    return json.loads(answer)


def call(method: str, *streams: str) -> dict[str, object]:
    return {"id": "7", "method": method, "params": list(streams)}


def test_calls_are_answered_by_their_id(
    gemini: GeminiDialect,
    talk: Conversation,
) -> None:
    subscribe = call("subscribe", "btcusd@trade", "ethusd@trade")
    answers = [
        hear(gemini, talk, request)
        for request in (
            subscribe,
            call("unsubscribe", "ethusd@trade"),
            call("list_subscriptions"),
            {"id": "ping", "method": "ping"},
            {"id": 9, "method": "time"},
        )
    ]

    assert answers == [
        {"id": "7", "status": 200},
        {"id": "7", "status": 200},
        {"id": "7", "status": 200, "result": ["btcusd@trade"]},
        {"id": "ping", "status": 200},
        {"id": 9, "status": 200, "result": {"serverTime": 1_790_000_000_000}},
    ]


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (call("subscribe", "btcusd@trade", "noneusd@trade"), -1002, "noneusd"),
        (call("subscribe", "btcusd@gossip"), -1002, "btcusd@gossip"),
    ],
)
def test_one_bad_stream_fails_the_whole_call(
    gemini: GeminiDialect,
    talk: Conversation,
    request_: object,
    code: int,
    text: str,
) -> None:
    assert hear(gemini, talk, request_) == {
        "id": "7",
        "status": 400,
        "error": {"code": code, "msg": f"Invalid symbol: {text}"},
    }
    assert not talk.subscribed


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"method": "subscribe"}, "params must be a list of streams"),
        ({"method": "shout"}, "Unknown method: shout"),
        ([], "Invalid JSON"),
    ],
)
def test_a_bad_call_is_refused(
    gemini: GeminiDialect,
    talk: Conversation,
    request_: object,
    text: str,
) -> None:
    assert hear(gemini, talk, request_) == {
        "id": None,
        "status": 400,
        "error": {"code": -1100, "msg": text},
    }


def test_a_trade_has_no_type_and_its_time_is_a_whole_number_of_nanoseconds(
    gemini: GeminiDialect,
    trades: list[Trade],
) -> None:
    channels, frames = zip(*gemini.frames(trades, NOON_NS), strict=True)

    assert set(channels) == {"trade"}
    assert [json.loads(frame) for frame in frames] == [
        {
            "E": 1_790_000_000_001_234_567,
            "s": "BTC-USD",
            "t": 8001,
            "p": "65000.10",
            "q": "0.00500000",
            "m": False,
        },
        {
            "E": 1_790_000_000_001_234_567,
            "s": "BTC-USD",
            "t": 8002,
            "p": "65001.20",
            "q": "0.00250000",
            "m": False,
        },
        {
            "u": 1_790_000_000_000_000,
            "E": 1_790_000_000_000_000_000,
            "s": "BTC-USD",
            "b": "65001.20",
            "B": "0.00250000",
            "a": "65001.20",
            "A": "0.00250000",
            "c": "65001.20",
            "C": "0.00250000",
        },
    ]


def test_the_book_makes_its_noise_only_now_and_then(
    gemini: GeminiDialect,
    trades: list[Trade],
) -> None:
    sold = trades[0]._replace(side="sell")
    ((_, frame),) = gemini.frames([sold], NOON_NS)

    assert json.loads(frame)["m"] is True


def test_symbols_are_lower_case(gemini: GeminiDialect) -> None:
    assert gemini.symbol_of("BTC") == "btcusd"
