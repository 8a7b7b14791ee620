from __future__ import annotations

import json
from typing import Any

import pytest

from support.clocks import NOON_NS
from trinity_beast.adapters.market.dialects import Conversation, Listing
from trinity_beast.adapters.market.dialects.bybit import BybitDialect
from trinity_beast.adapters.market.tape import Trade

CONNECTION = "0123456789abcdef0123-bcdef"


@pytest.fixture
def bybit() -> BybitDialect:
    return BybitDialect(Listing(["BTCUSDT", "ETHUSDT"]))


def hear(dialect: BybitDialect, talk: Conversation, request: object) -> dict[str, Any]:
    (answer,) = dialect.hear(talk, json.dumps(request), NOON_NS)
    return json.loads(answer)


def subscribe(*topics: str, **more: object) -> dict[str, object]:
    return {"op": "subscribe", "args": list(topics), **more}


def test_the_acknowledgement_names_no_topic(
    bybit: BybitDialect,
    talk: Conversation,
) -> None:
    topics = ("publicTrade.BTCUSDT", "publicTrade.ETHUSDT")

    assert hear(bybit, talk, subscribe(*topics)) == {
        "success": True,
        "ret_msg": "subscribe",
        "conn_id": CONNECTION,
        "op": "subscribe",
    }
    assert talk.symbols("publicTrade") == ("BTCUSDT", "ETHUSDT")


def test_a_request_s_id_is_repeated(bybit: BybitDialect, talk: Conversation) -> None:
    answer = hear(bybit, talk, subscribe("publicTrade.BTCUSDT", req_id="10001"))

    assert answer["req_id"] == "10001"


def test_topics_can_be_left(bybit: BybitDialect, talk: Conversation) -> None:
    request = subscribe("publicTrade.BTCUSDT")
    hear(bybit, talk, request)

    assert hear(bybit, talk, {**request, "op": "unsubscribe"})["success"] is True
    assert not talk.subscribed


def test_eleven_topics_are_too_many_and_the_sign_is_escaped(
    bybit: BybitDialect,
    talk: Conversation,
) -> None:
    request = subscribe(*["publicTrade.BTCUSDT"] * 11)
    (raw,) = bybit.hear(talk, json.dumps(request), NOON_NS)

    assert raw == (
        '{"success":false,"ret_msg":"args size \\u003e10",'
        f'"conn_id":"{CONNECTION}","op":"subscribe"}}'
    )
    assert not talk.subscribed


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (
            subscribe("publicTrade.BTCUSDT", "publicTrade.NOSUCHSYM"),
            "Invalid symbol :[publicTrade.NOSUCHSYM]",
        ),
        (subscribe("gossip.BTCUSDT"), "Invalid symbol :[gossip.BTCUSDT]"),
        (subscribe(), "Invalid symbol :[]"),
        ({"op": "shout"}, "Invalid op :shout"),
        ([], "Request body is not JSON"),
    ],
)
def test_one_bad_thing_fails_the_whole_request(
    bybit: BybitDialect,
    talk: Conversation,
    request_: object,
    text: str,
) -> None:
    answer = hear(bybit, talk, request_)

    assert (answer["success"], answer["ret_msg"]) == (False, text)
    assert not talk.subscribed


def test_a_ping_is_answered(bybit: BybitDialect, talk: Conversation) -> None:
    assert hear(bybit, talk, {"op": "ping"}) == {
        "success": True,
        "ret_msg": "pong",
        "conn_id": CONNECTION,
        "op": "ping",
    }


def test_all_fills_of_an_order_come_in_one_frame_oldest_first(
    bybit: BybitDialect,
    trades: list[Trade],
) -> None:
    ((channel, frame),) = bybit.frames(trades, NOON_NS)

    assert channel == "publicTrade"
    assert json.loads(frame) == {
        "topic": "publicTrade.BTC-USD",
        "ts": 1_790_000_000_000,
        "type": "snapshot",
        "data": [
            {
                "i": f"229000000000000{number}",
                "T": 1_790_000_000_001,
                "p": price,
                "v": quantity,
                "S": "Buy",
                "seq": number,
                "s": "BTC-USD",
                "BT": False,
                "RPI": False,
            }
            for price, quantity, number in [
                ("65000.10", "0.00500000", 8001),
                ("65001.20", "0.00250000", 8002),
            ]
        ],
    }
