"""Refusals: each code has a class, and whoever answered is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.price_server import Answer, problem
from trinity_beast import client as package
from trinity_beast.client import (
    AnswerUnreadable,
    BeastError,
    InvalidRequest,
    KeyRefused,
    NotFound,
    Overloaded,
    RateLimited,
    RetryPolicy,
    ServerFault,
    Throttled,
    Unavailable,
)
from trinity_beast.client.errors import BY_CODE
from trinity_beast.toolkit.http.problems import PROBLEMS

if TYPE_CHECKING:
    from client.conftest import MakeClient
    from support.either_client import EitherClient
    from support.price_server import PriceServer

ONCE = package.Options(retry=package.NEVER)


async def refusal(client: EitherClient) -> BeastError:
    with pytest.raises(BeastError) as told:
        await client.price("BTC")
    return told.value


@pytest.mark.parametrize("known", PROBLEMS, ids=lambda it: it.code)
async def test_every_code_of_the_server_has_a_class(
    make_client: MakeClient,
    server: PriceServer,
    known: object,
) -> None:
    code, status = getattr(known, "code"), getattr(known, "status")  # noqa: B009 - typed as object
    server.answers = [problem(status, code)]

    error = await refusal(make_client(ONCE))

    assert type(error) is BY_CODE[code]
    assert (error.code, error.status, error.request_id) == (code, status, "r-1")
    assert str(error) == f"No. [{code}, request r-1]"


def test_every_error_can_be_imported_from_the_package() -> None:
    assert {kind.__name__ for kind in BY_CODE.values()} <= set(package.__all__)


async def test_the_envelope_tells_errors_as_well(
    make_client: MakeClient,
    server: PriceServer,
) -> None:
    body = (
        '{"status":"❌ [LPO]","status_code":429,"endpoint":"/price",'
        '"error":{"code":"rate_limited","message":"Slower."},"retry_after_ms":120}'
    )
    server.answers = [Answer(body, 429)]

    error = await refusal(make_client(ONCE))

    assert isinstance(error, RateLimited)
    assert (error.message, error.retry_after_ms) == ("Slower.", 120)
    assert str(error) == "Slower. [rate_limited]"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, KeyRefused),
        (403, KeyRefused),
        (404, NotFound),
        (429, Throttled),
        (500, ServerFault),
        (503, Unavailable),
        (418, BeastError),
    ],
)
async def test_a_code_newer_than_this_client_is_of_the_kind_of_its_status(
    make_client: MakeClient,
    server: PriceServer,
    status: int,
    kind: type[BeastError],
) -> None:
    server.answers = [problem(status, "out_of_tea")]

    error = await refusal(make_client(ONCE))

    assert (type(error), error.code) == (kind, "out_of_tea")


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (429, RateLimited, "rate_limited"),
        (503, Overloaded, "overloaded"),
        (502, ServerFault, "internal"),
        (404, AnswerUnreadable, "unreadable_answer"),
    ],
)
@pytest.mark.parametrize("body", ["<html>nginx</html>", "{}"])
async def test_what_a_balancer_says_in_its_own_words_is_understood_by_status(
    make_client: MakeClient,
    server: PriceServer,
    status: int,
    kind: type[BeastError],
    code: str,
    body: str,
) -> None:
    server.answers = [Answer(body, status)]

    error = await refusal(make_client(ONCE))

    assert (isinstance(error, kind), error.code) == (True, code)


async def test_a_message_without_an_end_is_cut(
    make_client: MakeClient,
    server: PriceServer,
) -> None:
    server.answers = [problem(400, "invalid_request", detail="x" * 5_000)]

    error = await refusal(make_client(ONCE))

    assert error.message == "x" * 200


def test_a_policy_says_what_it_is() -> None:
    assert repr(RetryPolicy()).startswith("RetryPolicy(most_retries=3, within_s=10.0")
