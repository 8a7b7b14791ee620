"""How a text becomes a value, or is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from trinity_beast.features.parameters import (
    REGISTRY,
    Parameter,
    ParameterRefused,
    Value,
    parse,
    text_of,
)

COUNT = Parameter(
    name="count",
    kind="integer",
    unit="things",
    default="6",
    low=-3,
    high=30,
    multiple_of=3,
    meaning="",
)
ANY_COUNT = Parameter(name="any_count", kind="integer", default="0", meaning="")
SHARE = Parameter(name="share", kind="decimal", default="0.5", low=0, meaning="")
LEVEL = Parameter(
    name="level", kind="text", default="a", choices=("a", "b"), meaning=""
)
WORDS = Parameter(name="words", kind="text", default="", meaning="")
SWITCH = Parameter(name="switch", kind="flag", default="false", meaning="")
NAMES = Parameter(name="names", kind="list", default="", meaning="")


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (COUNT, "-3", -3),
        (COUNT, " +30\n", 30),
        (ANY_COUNT, "-999999999999999999", -999999999999999999),
        (SHARE, "0", Decimal(0)),
        (SHARE, "1.250", Decimal("1.250")),
        (LEVEL, " b ", "b"),
        (WORDS, " any words ", "any words"),
        (WORDS, "", ""),
        (SWITCH, "TRUE", True),
        (SWITCH, "on", True),
        (SWITCH, "Yes", True),
        (SWITCH, "1", True),
        (SWITCH, "false", False),
        (SWITCH, "off", False),
        (SWITCH, "no", False),
        (SWITCH, "0", False),
        (NAMES, "", ()),
        (NAMES, " a, b ,,c ", ("a", "b", "c")),
    ],
)
def test_a_text_that_fits_is_a_value(
    parameter: Parameter, text: str, value: Value
) -> None:
    found = parse(parameter, text)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("parameter", "text", "reason"),
    [
        (COUNT, "-6", "the smallest value is -3 things"),
        (COUNT, "33", "the largest value is 30 things"),
        (COUNT, "4", "it must be a multiple of 3"),
        (COUNT, "3.0", "it is not of kind integer"),
        (COUNT, "", "it is not of kind integer"),
        (COUNT, "3 0", "it is not of kind integer"),
        (COUNT, "١٢", "it is not of kind integer"),
        (COUNT, "9" * 5000, "it is not of kind integer"),
        (SHARE, "-0.1", "the smallest value is 0"),
        (SHARE, "NaN", "it is not of kind decimal"),
        (SHARE, "1e3", "it is not of kind decimal"),
        (LEVEL, "c", "it must be one of a, b"),
        (SWITCH, "perhaps", "it is not of kind flag"),
        (SWITCH, "", "it is not of kind flag"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_with_the_reason(
    parameter: Parameter, text: str, reason: str
) -> None:
    with pytest.raises(ParameterRefused) as refused:
        parse(parameter, text)

    assert refused.value.context == {
        "name": parameter.name,
        "text": text,
        "reason": reason,
    }
    assert refused.value.code == "invalid_request"
    assert refused.value.message == (
        f"The parameter {parameter.name} cannot be {text!r}: {reason}."
    )


@given(st.integers(-(10**17), 10**17))
def test_each_number_is_read_back_from_its_text(number: int) -> None:
    assert parse(ANY_COUNT, text_of(number)) == number


@pytest.mark.parametrize("parameter", REGISTRY, ids=lambda it: it.name)
def test_each_default_is_a_value_and_written_in_the_plain_form(
    parameter: Parameter,
) -> None:
    assert text_of(parse(parameter, parameter.default)) == parameter.default


@given(st.text(max_size=40))
@pytest.mark.parametrize("parameter", [COUNT, SHARE, LEVEL, SWITCH, NAMES])
def test_no_text_does_anything_but_fit_or_be_refused(
    parameter: Parameter, text: str
) -> None:
    try:
        value = parse(parameter, text)
    except ParameterRefused:
        return
    assert parse(parameter, text_of(value)) == value


def test_a_text_is_found_by_name_then_by_alias_then_by_default() -> None:
    parameter = Parameter(
        name="ttl", kind="integer", default="9", aliases=("ttl_seconds",), meaning=""
    )

    assert parameter.text_in({"ttl_seconds": "5", "ttl": "4"}) == "4"
    assert parameter.text_in({"ttl_seconds": "5"}) == "5"
    assert parameter.text_in({}) == "9"
