from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from trinity_beast.kernel.price_text import parse_price_text


@pytest.mark.parametrize(
    "text",
    ["0.5752", "121.5800000000", "65000", "0.00000000000000000001", "9" * 20],
)
def test_plain_digits_stay_as_they_are(text: str) -> None:
    assert parse_price_text(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1e-7", "0.0000001"),
        ("2.50E3", "2500"),
        ("1.50e-1", "0.150"),
        ("007.10", "7.10"),
        ("00.1", "0.1"),
    ],
)
def test_what_json_or_people_cannot_read_is_written_out(text: str, plain: str) -> None:
    assert parse_price_text(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "0.000",
        "0e5",
        "-1",
        "+1",
        ".5",
        "5.",
        "1,5",
        "1_000",
        " 1",
        "1\n",
        "NaN",
        "sNaN",
        "Infinity",
        "0x10",
        "１２",  # noqa: RUF001 - full-width digits are the point
        "1e99",
        "1e-99",
        "9" * 21,
        "1." + "1" * 31,
        "99999999999999999999e1",
    ],
)
def test_what_is_no_price_is_refused(text: str) -> None:
    assert parse_price_text(text) is None


@given(st.decimals(min_value="1e-20", max_value="1e19", places=20))
def test_the_value_is_kept_exactly(value: Decimal) -> None:
    plain = parse_price_text(str(value))

    assert plain is not None
    assert Decimal(plain) == value


@given(st.text(max_size=60))
def test_whatever_comes_is_either_no_price_or_plain_digits(text: str) -> None:
    plain = parse_price_text(text)

    assert plain is None or Decimal(plain) > 0
    assert plain is None or set(plain) <= set("0123456789.")
