from __future__ import annotations

import json

import pytest

from trinity_beast.features.feeds.errors import FeedRowInvalid
from trinity_beast.features.feeds.templates import (
    compile_ping,
    compile_subscribe,
    render_time,
    symbol_of,
)


def render(template: str, style: str | None, *symbols: str) -> object:
    compiled = compile_subscribe("x", template, style)
    (chunk,) = compiled.requests(symbols)
    return json.loads(compiled.render(chunk, 1_790_000_000))


@pytest.mark.parametrize(
    ("style", "written"),
    [
        (None, ["BTC-USD", "ETH-USD"]),
        ("standard", ["BTC-USD", "ETH-USD"]),
        ("coinbase", ["BTC-USD", "ETH-USD"]),
        ("gemini", ["BTC-USD@trade", "ETH-USD@trade"]),
        ("bybit", ["publicTrade.BTC-USD", "publicTrade.ETH-USD"]),
        (
            "okx",
            [
                {"channel": "trades", "instId": "BTC-USD"},
                {"channel": "trades", "instId": "ETH-USD"},
            ],
        ),
    ],
)
@pytest.mark.parametrize("placeholder", ["{SYMBOLS}", '"{SYMBOLS}"'])
def test_each_style_writes_symbols_its_own_way_bare_or_quoted(
    style: str | None,
    placeholder: str,
    written: object,
) -> None:
    template = f'{{"op":"subscribe","args":{placeholder}}}'

    found = render(template, style, "BTC-USD", "ETH-USD")

    assert found == {"op": "subscribe", "args": written}


@pytest.mark.parametrize(
    "placeholder",
    ["{SYMBOLS:trade.%s}", '"{SYMBOLS:trade.%s}"'],
)
def test_a_form_of_its_own_goes_before_the_style(placeholder: str) -> None:
    found = render(f'{{"channels":{placeholder}}}', "gemini", "BTC_USD", "ETH_USD")

    assert found == {"channels": ["trade.BTC_USD", "trade.ETH_USD"]}


def test_one_symbol_inside_of_a_text_makes_one_request_for_each() -> None:
    compiled = compile_subscribe("x", '{"sub":"market.{SYMBOL}.trade"}', "standard")

    requests = compiled.requests(["btc", 'q"x'])

    assert requests == [("btc",), ('q"x',)]
    assert [json.loads(compiled.render(chunk, 0)) for chunk in requests] == [
        {"sub": "market.btc.trade"},
        {"sub": 'market.q"x.trade'},
    ]


@pytest.mark.parametrize("placeholder", ["{TIME}", '"{TIME}"'])
def test_the_time_is_a_whole_number_of_seconds(placeholder: str) -> None:
    found = render(f'{{"time":{placeholder},"payload":{{SYMBOLS}}}}', "standard", "A")

    assert found == {"time": 1_790_000_000, "payload": ["A"]}


def test_bybit_takes_ten_symbols_a_request_and_the_others_a_hundred() -> None:
    symbols = [f"S{number}" for number in range(101)]

    bybit = compile_subscribe("x", '{"args":{SYMBOLS}}', "bybit").requests(symbols)
    standard = compile_subscribe("x", '{"a":{SYMBOLS}}', "standard").requests(symbols)

    assert [len(chunk) for chunk in bybit] == [10] * 10 + [1]
    assert [len(chunk) for chunk in standard] == [100, 1]
    assert [symbol for chunk in bybit for symbol in chunk] == symbols


def test_a_request_stays_below_the_size_that_venues_take() -> None:
    compiled = compile_subscribe("x", '{"args":{SYMBOLS}}', "okx")
    symbols = [f"{number:04d}" + "X" * 1_000 for number in range(100)]

    requests = compiled.requests(symbols)

    assert max(len(compiled.render(chunk, 0)) for chunk in requests) < 65_536
    assert [symbol for chunk in requests for symbol in chunk] == symbols


def test_a_template_without_symbols_asks_once_for_all() -> None:
    compiled = compile_subscribe("x", '{"op":"all"}', "bybit")

    assert compiled.requests([str(n) for n in range(30)]) == [
        tuple(str(n) for n in range(30)),
    ]


@pytest.mark.parametrize("template", [None, "", "  "])
def test_a_row_without_a_template_asks_for_nothing(template: str | None) -> None:
    assert compile_subscribe("x", template, "standard").requests(["A"]) == []


def test_nothing_is_asked_for_no_symbols() -> None:
    assert compile_subscribe("x", '{"a":{SYMBOLS}}', "standard").requests([]) == []


@pytest.mark.parametrize(
    ("template", "style", "forms"),
    [
        ('{"a":{SYMBOLS}}', "standard", ("BTC",)),
        ('{"a":{SYMBOLS}}', "gemini", ("BTC@trade",)),
        ('{"a":{SYMBOLS}}', "okx", ()),
        ('{"a":{SYMBOLS:t_%s}}', "okx", ("t_BTC",)),
        ('{"sub":"live_{SYMBOL}"}', "standard", ("live_BTC", "BTC")),
    ],
)
def test_the_ways_in_which_a_venue_may_echo_a_symbol_are_known(
    template: str,
    style: str,
    forms: tuple[str, ...],
) -> None:
    assert compile_subscribe("x", template, style).forms_of("BTC") == forms


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ('{"a":{SYMBOLS}', "is no JSON once filled"),
        ('{"a":"x{SYMBOLS}"}', "is no JSON once filled"),
        ('{"a":"{SYMBOLS} "}', "is no JSON once filled"),
        ("subscribe {SYMBOLS}", "is no JSON once filled"),
        ('{"a":{SYMBOLS:trade}}', "has no %s in '{SYMBOLS:trade}'"),
        ('{"a":{SYMBOLS},"b":"{ASSETS}"}', "has an unknown placeholder: {ASSETS}"),
        ("[" * 100_000 + '"{SYMBOLS}"', "is no JSON once filled"),
    ],
)
def test_a_template_that_cannot_work_is_refused_by_name(
    template: str,
    reason: str,
) -> None:
    with pytest.raises(FeedRowInvalid) as caught:
        compile_subscribe("acme", template, "standard")

    assert caught.value.column == "subscribe_template"
    assert caught.value.message.startswith("acme: subscribe_template ")
    assert reason in caught.value.message


def test_an_unknown_style_is_refused_by_name() -> None:
    with pytest.raises(
        FeedRowInvalid, match=r"acme: symbol_style is none of .*'binance'"
    ):
        compile_subscribe("acme", "{}", "binance")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("ping", "ping"),
        ('{"op":"ping"}', '{"op":"ping"}'),
        ('{"time":{TIME},"channel":"spot.ping"}', '{"time":7,"channel":"spot.ping"}'),
        ("ping {TIME}", "ping 7"),
    ],
)
def test_a_ping_is_json_or_plain_text(message: str, expected: str) -> None:
    ping = compile_ping("x", message)

    assert ping is not None
    assert render_time(ping, 7) == expected


@pytest.mark.parametrize("message", [None, "", " "])
def test_a_row_may_have_no_ping(message: str | None) -> None:
    assert compile_ping("x", message) is None


def test_a_ping_that_begins_like_json_and_is_none_is_refused() -> None:
    with pytest.raises(FeedRowInvalid, match="acme: ping_message is no JSON"):
        compile_ping("acme", '{"op":"ping"')


@pytest.mark.parametrize(
    ("template", "symbol"),
    [
        ("{ASSET}-USD", "1INCH-USD"),
        ("{asset}usd", "1inchusd"),
        ("t{ASSET}:{asset}", "t1INCH:1inch"),
    ],
)
def test_a_symbol_is_made_of_the_asset(template: str, symbol: str) -> None:
    assert symbol_of(template, "1INCH") == symbol
