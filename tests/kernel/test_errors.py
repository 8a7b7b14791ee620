from __future__ import annotations

from trinity_beast.kernel.errors import BeastError, NotFound, Throttled


class BridgeMissing(NotFound):
    """There is no such bridge."""

    code = "bridge_missing"
    template = "There is no bridge named {name}."


def test_an_error_fills_its_message_from_the_context() -> None:
    error = BridgeMissing(name="Attock", looked_in="table")

    assert error.message == "There is no bridge named Attock."
    assert str(error) == error.message
    assert error.context == {"name": "Attock", "looked_in": "table"}


def test_an_error_without_words_of_its_own_shows_nothing_inside() -> None:
    assert BeastError(secret="s3cret").message == "Something went wrong on our side."


def test_a_throttled_caller_is_told_when_to_come_back() -> None:
    error = Throttled(120, key="k")

    assert error.retry_after_ms == 120
    assert error.context == {"retry_after_ms": 120, "key": "k"}
