from __future__ import annotations

import json

import pytest

from trinity_beast.kernel.errors import (
    BeastError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Throttled,
    Unavailable,
    Unknown,
)
from trinity_beast.ports.exchanges import ExchangeUnreachable
from trinity_beast.toolkit.http.envelope import Envelope
from trinity_beast.toolkit.http.problems import (
    CODES,
    MethodNotAllowed,
    PayloadTooLarge,
    code_of,
    error_headers,
    problem_body,
    status_of,
)

CONTRACT = {
    "missing_key": 401,
    "unknown_key": 401,
    "revoked_key": 403,
    "tier_not_allowed": 403,
    "invalid_request": 400,
    "too_many_assets": 400,
    "unknown_asset": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "payload_too_large": 413,
    "rate_limited": 429,
    "quota_exceeded": 429,
    "price_stale": 503,
    "price_unavailable": 503,
    "overloaded": 503,
    "internal": 500,
}


def test_the_codes_and_their_statuses_are_the_published_ones() -> None:
    assert {code: meaning.status for code, meaning in CODES.items()} == CONTRACT


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (Invalid(), "invalid_request", 400),
        (Unknown(), "unknown_key", 401),
        (Forbidden(), "tier_not_allowed", 403),
        (NotFound(), "not_found", 404),
        (Conflict(), "conflict", 409),
        (Throttled(retry_after_ms=1), "rate_limited", 429),
        (Unavailable(), "overloaded", 503),
        (BeastError(), "internal", 500),
        (PayloadTooLarge(most_bytes=9), "payload_too_large", 413),
        (MethodNotAllowed(allow="GET"), "method_not_allowed", 405),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_kind_has_its_status(error: BeastError, code: str, status: int) -> None:
    assert (code_of(error), status_of(error)) == (code, status)


def test_an_error_of_an_inner_part_is_told_as_its_kind_without_its_words() -> None:
    error = ExchangeUnreachable(reason="10.0.0.7 refused")

    assert json.loads(problem_body(error, "01-id")) == {
        "type": "/errors/overloaded",
        "title": "Cannot answer right now",
        "status": 503,
        "detail": "The service cannot answer right now; try again shortly.",
        "instance": "01-id",
        "code": "overloaded",
    }


def test_a_throttled_caller_learns_when_to_come_back() -> None:
    error = Throttled(retry_after_ms=1_001)

    assert error_headers(error) == {"Retry-After": "2"}
    assert json.loads(problem_body(error, "01-id")) == {
        "type": "/errors/rate_limited",
        "title": "Too many requests",
        "status": 429,
        "detail": "Too many requests; wait a little.",
        "instance": "01-id",
        "code": "rate_limited",
        "retry_after_ms": 1_001,
    }


def test_headers_that_a_status_asks_for_are_there() -> None:
    assert error_headers(Unknown()) == {
        "WWW-Authenticate": 'Bearer realm="trinity-beast"',
    }
    assert error_headers(MethodNotAllowed(allow="GET, HEAD")) == {"Allow": "GET, HEAD"}
    assert error_headers(NotFound()) == {}


def test_a_tbc_error_opens_with_who_answered() -> None:
    envelope = Envelope("LPO", "us-east-2", "BeastMain")

    assert envelope.error_body(NotFound(), "/price").decode() == (
        '{"status":"❌ [LPO] [us-east-2] [BeastMain] [/price] [404]",'
        '"status_code":404,"endpoint":"/price",'
        '"error":{"code":"not_found","message":"There is nothing here."}}'
    )


def test_a_tbc_error_tells_a_throttled_caller_when_to_come_back() -> None:
    envelope = Envelope("LPO", "us-east-2", "BeastMain")

    assert json.loads(envelope.error_body(Throttled(120), "/price")) == {
        "status": "❌ [LPO] [us-east-2] [BeastMain] [/price] [429]",
        "status_code": 429,
        "endpoint": "/price",
        "error": {
            "code": "rate_limited",
            "message": "Too many requests; wait a little.",
        },
        "retry_after_ms": 120,
    }


def test_a_good_tbc_body_opens_with_a_check_mark() -> None:
    envelope = Envelope("LPO", "us-east-2", "BeastMain")

    assert envelope.opening("/price", 200) == envelope.opening("/price", 200)
    assert envelope.opening("/price", 200).decode() == (
        '{"status":"✅ [LPO] [us-east-2] [BeastMain] [/price] [200]",'
        '"status_code":200,"endpoint":"/price"'
    )
