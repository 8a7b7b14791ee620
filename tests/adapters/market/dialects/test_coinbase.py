from __future__ import annotations

import json

import pytest

from support.clocks import NOON_NS
from trinity_beast.adapters.market.dialects import Conversation, Listing
from trinity_beast.adapters.market.dialects.coinbase import CoinbaseDialect
from trinity_beast.adapters.market.dialects.dialect import Closing
from trinity_beast.adapters.market.tape import Trade
from trinity_beast.kernel.time import NS_PER_S


@pytest.fixture
def coinbase() -> CoinbaseDialect:
    return CoinbaseDialect(Listing(["BTC-USD", "ETH-USD"]))


def hear(dialect: CoinbaseDialect, talk: Conversation, request: object) -> object:
    (answer,) = dialect.hear(talk, json.dumps(request), NOON_NS)
    return json.loads(answer)


SUBSCRIBE = {
    "type": "subscribe",
    "product_ids": ["BTC-USD", "ETH-USD"],
    "channels": ["matches", "heartbeat"],
}


def test_the_acknowledgement_lists_every_channel(
    coinbase: CoinbaseDialect,
    talk: Conversation,
) -> None:
    products = ["BTC-USD", "ETH-USD"]

    assert hear(coinbase, talk, SUBSCRIBE) == {
        "type": "subscriptions",
        "channels": [
            {"name": "matches", "product_ids": products, "account_ids": None},
            {"name": "heartbeat", "product_ids": products, "account_ids": None},
        ],
    }
    assert talk.take_fresh() == [
        ("matches", "BTC-USD", True),
        ("matches", "ETH-USD", True),
        ("heartbeat", "BTC-USD", False),
        ("heartbeat", "ETH-USD", False),
    ]


def test_a_channel_may_name_its_own_products(
    coinbase: CoinbaseDialect,
    talk: Conversation,
) -> None:
    channels = [{"name": "ticker", "product_ids": ["ETH-USD"]}, "matches"]
    hear(coinbase, talk, {**SUBSCRIBE, "channels": channels})

    assert talk.symbols("ticker") == ("ETH-USD",)
    assert talk.symbols("matches") == ("BTC-USD", "ETH-USD")


def test_leaving_is_answered_with_what_is_left(
    coinbase: CoinbaseDialect,
    talk: Conversation,
) -> None:
    hear(coinbase, talk, SUBSCRIBE)
    request = {
        "type": "unsubscribe",
        "product_ids": ["ETH-USD"],
        "channels": ["matches"],
    }
    hear(coinbase, talk, request)

    assert hear(coinbase, talk, {"type": "unsubscribe", "channels": ["heartbeat"]}) == {
        "type": "subscriptions",
        "channels": [
            {"name": "matches", "product_ids": ["BTC-USD"], "account_ids": None},
        ],
    }


@pytest.mark.parametrize(
    ("request_", "message", "reason"),
    [
        (
            {**SUBSCRIBE, "product_ids": ["BTC-USD", "GIBBERISH-USD"]},
            "Failed to subscribe",
            "GIBBERISH-USD is not a valid product",
        ),
        (
            {**SUBSCRIBE, "channels": ["matches", "gossip"]},
            "Failed to subscribe",
            "gossip is not a valid channel",
        ),
        (
            {**SUBSCRIBE, "product_ids": []},
            "Failed to subscribe",
            "product_ids must not be empty",
        ),
        (
            {"type": "subscribe", "product_ids": ["BTC-USD"]},
            "Failed to subscribe",
            "channels must not be empty",
        ),
        ({"type": "shout"}, "Type has to be either subscribe or unsubscribe", None),
        ([], "Malformed JSON", None),
    ],
)
def test_one_bad_thing_fails_the_whole_request(
    coinbase: CoinbaseDialect,
    talk: Conversation,
    request_: object,
    message: str,
    reason: str | None,
) -> None:
    error = {"type": "error", "message": message}

    assert hear(coinbase, talk, request_) == (
        error if reason is None else {**error, "reason": reason}
    )
    assert not talk.subscribed


def test_a_fresh_subscriber_gets_the_last_match(
    coinbase: CoinbaseDialect,
    trades: list[Trade],
) -> None:
    (frame,) = coinbase.primer("matches", trades, NOON_NS)

    assert json.loads(frame) == {
        "type": "last_match",
        "trade_id": 8002,
        "maker_order_id": "820ad83c-d63a-a628-c9b5-4418c08c08aa",
        "taker_order_id": "d52a5397-0d63-3e18-38d5-3df382129932",
        "side": "buy",
        "size": "0.00250000",
        "price": "65001.20",
        "product_id": "BTC-USD",
        "sequence": 24006,
        "time": "2026-09-21T14:13:20.001234Z",
    }


def test_each_fill_is_a_match_and_the_last_one_a_ticker(
    coinbase: CoinbaseDialect,
    trades: list[Trade],
) -> None:
    frames = coinbase.frames(trades, NOON_NS)
    bodies = [(channel, json.loads(frame)) for channel, frame in frames]

    assert [(channel, b["type"], b["price"]) for channel, b in bodies] == [
        ("matches", "match", "65000.10"),
        ("matches", "match", "65001.20"),
        ("ticker", "ticker", "65001.20"),
    ]
    assert coinbase.primer("ticker", trades, NOON_NS) == (frames[-1][1],)


def test_each_product_has_its_heartbeat(
    coinbase: CoinbaseDialect,
    talk: Conversation,
    trades: list[Trade],
) -> None:
    hear(coinbase, talk, SUBSCRIBE)
    last = {"BTC-USD": trades[-1]}
    beats = coinbase.heartbeats(talk, last.get, NOON_NS)

    assert [json.loads(beat) for beat in beats] == [
        {
            "type": "heartbeat",
            "last_trade_id": 8002,
            "product_id": "BTC-USD",
            "sequence": 24006,
            "time": "2026-09-21T14:13:20.000000Z",
        },
        {
            "type": "heartbeat",
            "last_trade_id": 0,
            "product_id": "ETH-USD",
            "sequence": 0,
            "time": "2026-09-21T14:13:20.000000Z",
        },
    ]


def test_a_client_has_five_seconds_to_subscribe(
    coinbase: CoinbaseDialect,
    talk: Conversation,
) -> None:
    assert coinbase.overdue(talk, 5 * NS_PER_S - 1) is None
    assert coinbase.overdue(talk, 5 * NS_PER_S) == Closing(
        1000,
        "No subscription received",
    )

    hear(coinbase, talk, SUBSCRIBE)
    assert coinbase.overdue(talk, 3_600 * NS_PER_S) is None
