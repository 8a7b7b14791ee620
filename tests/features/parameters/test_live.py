"""The parameters that a process holds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from trinity_beast.features.parameters import Parameter, Parameters
from trinity_beast.toolkit.work import DatabaseAway

REGISTRY = (
    Parameter(name="count", kind="integer", default="6", low=1, meaning=""),
    Parameter(name="share", kind="decimal", default="0.5", meaning=""),
    Parameter(name="words", kind="text", default="hello", meaning=""),
    Parameter(name="switch", kind="flag", default="false", meaning=""),
    Parameter(name="names", kind="list", default="a,b", meaning=""),
)


class Source:
    """Loads what it is told to, or fails."""

    def __init__(self, *texts: Mapping[str, str]) -> None:
        self.texts = list(texts)

    async def load(self) -> Mapping[str, str]:
        if not self.texts:
            raise DatabaseAway
        return self.texts.pop(0)


def parameters_from(*texts: Mapping[str, str]) -> Parameters:
    return Parameters(Source(*texts).load, REGISTRY)


def values_of(parameters: Parameters) -> tuple[object, ...]:
    return (
        parameters.integer("count"),
        parameters.decimal("share"),
        parameters.text("words"),
        parameters.flag("switch"),
        parameters.texts("names"),
    )


def test_the_defaults_hold_before_anything_was_loaded() -> None:
    assert values_of(parameters_from()) == (
        6,
        Decimal("0.5"),
        "hello",
        False,
        ("a", "b"),
    )


async def test_values_are_those_of_the_table() -> None:
    parameters = parameters_from(
        {"count": "7", "share": "0.25", "words": "x", "switch": "on", "names": "c"}
    )

    await parameters.refresh()

    assert values_of(parameters) == (7, Decimal("0.25"), "x", True, ("c",))


async def test_a_bad_text_leaves_the_last_good_value_and_is_listed() -> None:
    parameters = parameters_from(
        {"count": "7"},
        {"count": "many", "switch": "on"},
        {"count": "0"},
        {"count": "8"},
    )
    seen: list[object] = []

    for _ in range(4):
        await parameters.refresh()
        seen.append((parameters.integer("count"), dict(parameters.refused)))

    assert seen == [
        (7, {}),
        (7, {"count": "many"}),
        (7, {"count": "0"}),
        (8, {}),
    ]
    assert parameters.flag("switch") is False


async def test_a_row_that_is_gone_means_the_default() -> None:
    parameters = parameters_from({"count": "7"}, {})

    await parameters.refresh()
    await parameters.refresh()

    assert parameters.integer("count") == 6


async def test_watchers_hear_when_a_value_has_changed_and_not_otherwise() -> None:
    parameters = parameters_from()
    heard: list[int] = []
    leave = parameters.subscribe(lambda: heard.append(parameters.integer("count")))

    for text in ("6", "7", " 7", "bad", "8"):
        parameters.replace({"count": text})
    leave()
    leave()
    parameters.replace({"count": "9"})

    assert heard == [7, 8]


async def test_all_values_stay_when_loading_fails() -> None:
    parameters = parameters_from({"count": "7"})
    await parameters.refresh()

    with pytest.raises(DatabaseAway):
        await parameters.refresh()

    assert parameters.integer("count") == 7


async def test_an_older_answer_never_replaces_a_newer_one() -> None:
    slow = asyncio.Event()
    answers = [{"count": "1"}, {"count": "2"}]

    async def load() -> Mapping[str, str]:
        answer = answers.pop(0)
        if answer["count"] == "1":
            await slow.wait()
        return answer

    parameters = Parameters(load, REGISTRY)
    both = asyncio.gather(parameters.refresh(), parameters.refresh())
    await asyncio.sleep(0)
    slow.set()
    await both

    assert parameters.integer("count") == 2


def test_asking_for_an_unknown_name_or_by_the_wrong_kind_is_a_mistake() -> None:
    parameters = parameters_from()

    with pytest.raises(KeyError, match="unheard"):
        parameters.integer("unheard")
    with pytest.raises(KeyError, match="switch is not of kind integer"):
        parameters.integer("switch")
    with pytest.raises(KeyError, match="names is not of kind text"):
        parameters.text("names")


def test_a_bad_text_is_logged_when_it_comes_and_not_each_time_it_is_read() -> None:
    parameters = parameters_from()

    with capture_logs() as logged:
        for text in ("many", "many", "0", "many"):
            parameters.replace({"count": text})

    assert [line["reason"] for line in logged] == [
        "The parameter count cannot be 'many': it is not of kind integer.",
        "The parameter count cannot be '0': the smallest value is 1.",
        "The parameter count cannot be 'many': it is not of kind integer.",
    ]
