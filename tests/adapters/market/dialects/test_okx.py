from __future__ import annotations

import json
from typing import Any

import pytest

from support.clocks import NOON_NS
from trinity_beast.adapters.market.dialects import Conversation, Listing
from trinity_beast.adapters.market.dialects.okx import OkxDialect
from trinity_beast.adapters.market.tape import Trade

CONNECTION = "01234567"
COUNT = {
    "event": "channel-conn-count",
    "channel": "trades",
    "connCount": "1",
    "connId": CONNECTION,
}


@pytest.fixture
def okx() -> OkxDialect:
    return OkxDialect(Listing(["BTC-USDT", "ETH-USDT"]))


def hear(
    dialect: OkxDialect,
    talk: Conversation,
    request: object,
) -> list[dict[str, Any]]:
    answers = dialect.hear(talk, json.dumps(request), NOON_NS)
    return [json.loads(answer) for answer in answers]


def subscribe(*symbols: str, channel: str = "trades") -> dict[str, object]:
    args = [{"channel": channel, "instId": symbol} for symbol in symbols]
    return {"op": "subscribe", "args": args}


def accepted(symbol: str, event: str = "subscribe") -> dict[str, object]:
    arg = {"channel": "trades", "instId": symbol}
    return {"event": event, "arg": arg, "connId": CONNECTION}


def no_such(symbol: str, channel: str = "trades") -> dict[str, object]:
    text = (
        f"Wrong URL or channel:{channel},instId:{symbol} doesn't exist. Please use "
        "the correct URL, channel and parameters referring to API document."
    )
    return {"event": "error", "code": "60018", "msg": text, "connId": CONNECTION}


def test_each_argument_has_its_own_answer_and_a_bad_one_spoils_no_other(
    okx: OkxDialect,
    talk: Conversation,
) -> None:
    assert hear(okx, talk, subscribe("BTC-USDT", "NONE-USDT", "ETH-USDT")) == [
        accepted("BTC-USDT"),
        no_such("NONE-USDT"),
        accepted("ETH-USDT"),
        COUNT,
    ]
    assert talk.take_fresh() == [
        ("trades", "BTC-USDT", True),
        ("trades", "ETH-USDT", True),
    ]


def test_a_strange_channel_does_not_exist(okx: OkxDialect, talk: Conversation) -> None:
    assert hear(okx, talk, subscribe("BTC-USDT", channel="gossip")) == [
        no_such("BTC-USDT", "gossip"),
    ]


def test_symbols_can_be_left(okx: OkxDialect, talk: Conversation) -> None:
    request = subscribe("BTC-USDT")
    hear(okx, talk, request)

    assert hear(okx, talk, {**request, "op": "unsubscribe"}) == [
        accepted("BTC-USDT", "unsubscribe"),
    ]
    assert not talk.subscribed


@pytest.mark.parametrize("text", ['{"op":"shout"}', '{"op":"subscribe"}', "hello"])
def test_a_bad_request_is_refused(
    okx: OkxDialect,
    talk: Conversation,
    text: str,
) -> None:
    (answer,) = okx.hear(talk, text, NOON_NS)

    assert json.loads(answer) == {
        "event": "error",
        "code": "60012",
        "msg": f"Invalid request: {text}",
        "connId": CONNECTION,
    }


def test_a_ping_is_plain_text(okx: OkxDialect, talk: Conversation) -> None:
    assert okx.hear(talk, "ping", NOON_NS) == ("pong",)


def test_each_fill_is_a_frame_and_its_time_a_text(
    okx: OkxDialect,
    trades: list[Trade],
) -> None:
    first, _ = okx.frames(trades, NOON_NS)

    assert first[0] == "trades"
    assert json.loads(first[1]) == {
        "arg": {"channel": "trades", "instId": "BTC-USD"},
        "data": [
            {
                "instId": "BTC-USD",
                "tradeId": "8001",
                "px": "65000.10",
                "sz": "0.00500000",
                "side": "buy",
                "ts": "1790000000001",
                "count": "1",
                "source": "0",
                "seqId": 8001,
            },
        ],
    }


def test_a_fresh_subscriber_gets_the_last_trade(
    okx: OkxDialect,
    trades: list[Trade],
) -> None:
    assert okx.primer("trades", trades, NOON_NS) == (
        okx.frames(trades, NOON_NS)[-1][1],
    )


def test_a_service_upgrade_is_announced(okx: OkxDialect, talk: Conversation) -> None:
    assert json.loads(okx.notice(talk) or "") == {
        "event": "notice",
        "code": "64008",
        "msg": "The connection will soon be closed for a service upgrade. "
        "Please reconnect.",
        "connId": CONNECTION,
    }
