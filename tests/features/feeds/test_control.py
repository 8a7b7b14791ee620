from __future__ import annotations

import pytest

from trinity_beast.features.feeds import control
from trinity_beast.features.feeds.control import SymbolFinder

ERRORS: list[tuple[object, str]] = [
    (
        {
            "type": "error",
            "message": "Failed to subscribe",
            "reason": "GIBBERISH-USD is not a valid product",
        },
        "Failed to subscribe: GIBBERISH-USD is not a valid product",
    ),
    (
        {"id": "1", "status": 400, "error": {"code": -1002, "msg": "Invalid symbol"}},
        "Invalid symbol",
    ),
    (
        {
            "error": "Currency pair not supported XBT/EUR",
            "method": "subscribe",
            "success": False,
            "symbol": "XBT/EUR",
        },
        "Currency pair not supported XBT/EUR",
    ),
    (
        {
            "channel": "spot.trades",
            "event": "subscribe",
            "error": {"code": 2, "message": "unknown currency pair: LUNARLENS_USDT"},
            "result": {"status": "fail"},
        },
        "unknown currency pair: LUNARLENS_USDT",
    ),
    ({"event": "subscribe", "result": {"status": "fail"}}, ""),
    (
        {"success": False, "ret_msg": "Invalid symbol :[publicTrade.NO]", "op": "x"},
        "Invalid symbol :[publicTrade.NO]",
    ),
    ({"success": False, "ret_msg": "", "op": "subscribe"}, ""),
    ({"event": "error", "code": "60012", "msg": "Invalid request"}, "Invalid request"),
    ({"id": 0, "code": 10004, "message": "invalid channel"}, "invalid channel"),
    ({"result": "error", "msg": "no", "message": "no"}, "no"),
    ({"retCode": 10001}, ""),
    ({"status": 404}, ""),
]

FINE: list[object] = [
    {"type": "subscriptions", "channels": []},
    {"id": "1", "status": 200},
    {"status": 1},
    {"channel": "spot.trades", "error": None, "result": {"status": "success"}},
    {"method": "subscribe", "success": True, "result": {"channel": "trade"}},
    {"id": 1, "method": "subscribe", "code": 0},
    {"code": "0", "msg": ""},
    {"code": "BTC"},
    {"code": True, "error": False},
    {"event": "notice", "code": "64008", "msg": "Please reconnect."},
    {"channel": "heartbeat"},
    [],
    None,
    "error",
]


@pytest.mark.parametrize(("document", "words"), ERRORS)
def test_an_error_is_known_by_its_shape(document: object, words: str) -> None:
    assert control.error_words(document) == words


@pytest.mark.parametrize("document", FINE)
def test_what_is_no_error_is_left_alone(document: object) -> None:
    assert control.error_words(document) is None


def test_an_error_is_shown_by_its_words_or_else_its_fields() -> None:
    frame = {"success": False, "ret_msg": "", "op": "subscribe", "req_id": 7}

    assert control.describe(frame, "no\nsuch\ud800 pair") == "no such? pair"
    assert control.describe(frame, "") == '{"ret_msg":"","op":"subscribe","req_id":7}'
    assert len(control.describe(frame, "x" * 5_000)) == control.LONGEST_TEXT


@pytest.mark.parametrize(
    "words", ["rate limit exceeded", "Too many requests", "timeout"]
)
def test_some_errors_blame_the_moment(words: str) -> None:
    assert control.is_passing(words)


@pytest.mark.parametrize("words", ["Already subscribed", "already  subscribed to X"])
def test_some_errors_say_that_all_is_well(words: str) -> None:
    assert control.is_already(words)


def test_other_errors_blame_what_was_asked() -> None:
    assert not control.is_passing("unknown currency pair")
    assert not control.is_already("cannot subscribe")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"event": "notice", "code": "64008"}, True),
        ({"type": "notice"}, True),
        ({"type": "trade"}, False),
        ([], False),
    ],
)
def test_a_notice_announces_the_end_of_a_connection(
    document: object,
    *,
    expected: bool,
) -> None:
    assert control.is_notice(document) is expected


def test_a_heartbeat_that_wants_an_answer_gets_one_with_its_id() -> None:
    beat = {"id": 1_788_335_101_113, "method": "public/heartbeat", "code": 0}

    assert (
        control.heartbeat_answer(beat)
        == '{"id":1788335101113,"method":"public/respond-heartbeat"}'
    )
    assert control.heartbeat_answer({"channel": "heartbeat"}) is None
    assert control.heartbeat_answer("heartbeat") is None


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"channel": "status", "data": [{"system": "maintenance"}]}, "maintenance"),
        ({"channel": "status", "data": [{"system": 7}]}, None),
        ({"channel": "status", "data": []}, None),
        ({"channel": "status", "data": ["online"]}, None),
        ({"channel": "status"}, None),
        ({"channel": "trade", "data": [{"system": "online"}]}, None),
        (None, None),
    ],
)
def test_a_venue_may_say_how_it_is(document: object, status: str | None) -> None:
    assert control.venue_status(document) == status


FINDER = SymbolFinder(
    {
        "BTC-USD": (),
        "IOUSDT": ("publicTrade.IOUSDT",),
        "btcusd": ("btcusd@trade",),
        "BTC:USD": (),
        "ONE": (),
    },
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("BTC-USD is not a valid product", {"BTC-USD"}),
        ("btc-usd is not a valid product", {"BTC-USD"}),
        ("[publicTrade.IOUSDT]", {"IOUSDT"}),
        ("publicTrade.IOUSDT", {"IOUSDT"}),
        ("publicTrade.BIOUSDT", set[str]()),
        ("BTC-USD-SWAP", set[str]()),
        ("ABTC-USD", set[str]()),
        ("no btcusd@trade today", {"btcusd"}),
        ("no BTC:USD, sorry", {"BTC:USD"}),
        ("no XBTC:USD, sorry", set[str]()),
        ("one of them, or ONE", {"ONE"}),
        ("one of them", set[str]()),
        ('{"instId":"BTC-USD"}', {"BTC-USD"}),
        ("", set[str]()),
    ],
)
def test_symbols_are_found_as_whole_words(text: str, found: set[str]) -> None:
    assert FINDER.in_text(text) == found


def test_symbols_are_found_anywhere_in_a_document() -> None:
    document = {"a": [{"b": ["x", 1, None, "BTC-USD"]}], "c": "IOUSDT"}

    assert FINDER.in_document(document) == {"BTC-USD", "IOUSDT"}


def test_a_huge_document_is_not_read_to_its_end() -> None:
    document = {"bids": [["1", "2"]] * 100_000, "deep": ["BTC-USD"]}

    assert FINDER.in_document(document) == set()


def test_nothing_is_found_where_nothing_is_sought() -> None:
    assert SymbolFinder({}).in_document({"a": "BTC-USD"}) == set()
