"""Asking again: what helps, how often, and after how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.ports import free_port
from support.price_server import Answer, events, problem
from trinity_beast.client import (
    BeastError,
    Options,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    RetryPolicy,
    TimedOut,
    Unreachable,
)

if TYPE_CHECKING:
    from client.conftest import MakeClient
    from support.either_client import EitherClient, Pace
    from support.price_server import PriceServer

OK = Answer()
BUSY = problem(503, "overloaded")
# 2026-09-21T14:13:20Z is the present of these tests.
IN_TWO_SECONDS = "Mon, 21 Sep 2026 14:13:22 GMT"
LONG_AGO = "Mon, 21 Sep 2020 14:13:22 GMT"


def limited(retry_after_ms: int) -> Answer:
    return problem(429, "rate_limited", retry_after_ms=retry_after_ms)


async def test_a_full_bucket_is_waited_for_as_long_as_the_server_says(
    client: EitherClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    server.answers = [limited(120), limited(80), OK]

    price = await client.price("BTC")

    assert price.asset == "BTC"
    assert pace.waits == [0.12, 0.08]


async def test_the_wait_is_stretched_by_chance_and_never_cut(
    client: EitherClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    pace.chance = 1.0
    server.answers = [limited(1_000), OK]

    await client.price("BTC")

    assert pace.waits == [1.1]


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("2", 2.0),
        (IN_TWO_SECONDS, 2.0),
        (LONG_AGO, 0.0),
        ("soon", 0.05),
        ("9" * 40, 0.05),
    ],
)
async def test_the_header_counts_where_the_body_says_nothing(
    client: EitherClient,
    server: PriceServer,
    pace: Pace,
    header: str,
    wait_s: float,
) -> None:
    server.answers = [Answer("busy", 503, (("Retry-After", header),)), OK]

    await client.price("BTC")

    assert pace.waits == [wait_s]


async def test_without_a_word_from_the_server_the_wait_doubles_up_to_its_end(
    make_client: MakeClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    pace.chance = 1.0
    policy = RetryPolicy(most_retries=5, first_wait_s=0.1, longest_wait_s=0.5)
    server.answers = [*[BUSY] * 5, OK]

    await make_client(Options(retry=policy)).price("BTC")

    assert pace.waits == [0.1, 0.2, 0.4, 0.5, 0.5]


async def test_the_number_of_tries_has_an_end(
    client: EitherClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    server.answers = [BUSY]

    with pytest.raises(Overloaded):
        await client.price("BTC")

    assert (len(server.heard), len(pace.waits)) == (4, 3)


async def test_who_would_have_to_wait_too_long_hears_so_at_once(
    client: EitherClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    server.answers = [limited(6_000), limited(6_000)]

    with pytest.raises(RateLimited) as told:
        await client.price("BTC")

    assert told.value.retry_after_ms == 6_000
    assert pace.waits == [6.0]


@pytest.mark.parametrize(
    "answer",
    [
        problem(429, "quota_exceeded", retry_after_ms=1),
        problem(400, "invalid_request"),
        problem(401, "unknown_key"),
        problem(404, "unknown_asset"),
        problem(500, "internal"),
        Answer("<html>", 502),
    ],
    ids=lambda answer: str(answer.status),
)
async def test_what_asking_again_cannot_help_is_asked_once(
    client: EitherClient,
    server: PriceServer,
    pace: Pace,
    answer: Answer,
) -> None:
    server.answers = [answer]

    with pytest.raises(BeastError):
        await client.price("BTC")

    assert (len(server.heard), pace.waits) == (1, [])


async def test_a_used_up_month_is_not_taken_for_a_full_bucket(
    client: EitherClient,
    server: PriceServer,
) -> None:
    server.answers = [problem(429, "quota_exceeded", retry_after_ms=9)]

    with pytest.raises(QuotaExceeded) as told:
        await client.price("BTC")

    assert told.value.retry_after_ms == 9


async def test_a_connection_that_breaks_is_made_again(
    client: EitherClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    server.answers = [None, OK]

    price = await client.price("BTC")

    assert price.asset == "BTC"
    assert pace.waits == [0.05]


async def test_a_server_that_is_not_there_is_told_without_the_request(
    make_client: MakeClient,
) -> None:
    client = make_client(url=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(Unreachable) as told:
        await client.price("BTC")

    assert (told.value.code, told.value.status) == ("unreachable", None)
    assert told.value.__cause__ is None


async def test_a_server_that_says_nothing_is_told_from_one_that_is_not_there(
    make_client: MakeClient,
    server: PriceServer,
) -> None:
    server.answers = [events(is_silent=True)]
    client = make_client(Options(timeout_s=0.05, retry=RetryPolicy(most_retries=1)))

    with pytest.raises(TimedOut):
        await client.price("BTC")

    assert len(server.heard) == 2
