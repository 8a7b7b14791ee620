"""The rules of a price answer that no request shows by itself."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from trinity_beast.features.board import Quote
from trinity_beast.features.prices.model import (
    Freshness,
    Price,
    age_of,
    percentile,
    price_fields,
)
from trinity_beast.kernel.time import NS_PER_S

NOW_NS = 1_790_000_000 * NS_PER_S


def quote(price: str = "1", *, as_of_ns: int = NOW_NS, source: str = "x-ws") -> Quote:
    return Quote(
        "BTC", price, source, NOW_NS, NOW_NS, as_of_ns, snapshot=False, sequence=1
    )


@given(
    whole=st.from_regex(r"0|[1-9][0-9]{0,19}", fullmatch=True),
    fraction=st.from_regex(r"(\.[0-9]{1,30})?", fullmatch=True),
)
def test_no_digit_of_a_price_is_lost(whole: str, fraction: str) -> None:
    text = whole + fraction

    body = b"{" + price_fields(Price(quote(text), 0, 0)) + b"}"

    told = json.loads(body, parse_float=str, parse_int=str)
    assert told["price"] == text
    assert json.loads(body, parse_float=Decimal)["price"] == Decimal(text)


@given(st.text(max_size=20))
def test_a_source_tag_can_be_any_text(source: str) -> None:
    body = b"{" + price_fields(Price(quote(source=source), 0, 0)) + b"}"

    assert json.loads(body)["source"] == source


@pytest.mark.parametrize(
    ("age_ns", "shown"),
    [(0, 0.0), (99_999_999, 0.0), (100_000_000, 0.1), (12_345_678_901, 12.3)],
)
def test_ages_are_told_in_whole_tenths(age_ns: int, shown: float) -> None:
    body = b"{" + price_fields(Price(quote(), age_ns, 0)) + b"}"

    assert json.loads(body)["cache_age_seconds"] == shown


def test_a_price_from_a_faster_clock_is_not_younger_than_new() -> None:
    assert age_of(quote(as_of_ns=NOW_NS + NS_PER_S), NOW_NS) == 0


def test_a_feed_that_was_never_heard_is_silent() -> None:
    freshness = Freshness(cache_ttl_s=9, silence_s=30)
    old, young = quote(as_of_ns=NOW_NS - 10 * NS_PER_S), quote()

    assert not freshness.may_serve(old, 0, NOW_NS)
    assert freshness.may_serve(young, 0, NOW_NS)


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([], 50, None),
        ([7], 99, 7),
        (range(1, 101), 50, 50),
        (range(1, 101), 99, 99),
        (range(1, 101), 100, 100),
        ([1, 2], 50, 1),
        ([1, 2], 0, 1),
    ],
)
def test_percentiles_go_by_the_nearest_rank(
    values: list[int],
    percent: int,
    found: int | None,
) -> None:
    assert percentile(list(values), percent) == found
