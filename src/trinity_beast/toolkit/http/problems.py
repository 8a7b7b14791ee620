"""Problems: how an error reads over HTTP.

Every error that leaves a listener has one of the public codes below.  A client that
knows only the status still acts rightly; one that knows the code can say why.

Source: RFC 9457 (problem details), RFC 9110 section 11.6.1 (WWW-Authenticate).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from starlette.responses import Response

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

PROBLEM_TYPE = "application/problem+json"
ERROR_PAGES = "/errors/"


class PayloadTooLarge(Invalid):
    """The body, or the head, is larger than we read."""

    code = "payload_too_large"
    template = "The request is too large; at most {most_bytes} bytes are read."


class MethodNotAllowed(Invalid):
    """The path exists, but not for this method."""

    code = "method_not_allowed"
    template = "This path takes {allow}."


class Problem(NamedTuple):
    """A public code and what it says.

    Attributes:
        code: Its name, never changed.
        status: The HTTP status it comes with.
        title: A few words, always the same for the code.
        explanation: What happened and what to do about it, for the error's own page.
    """

    code: str
    status: int
    title: str
    explanation: str


STATUS_OF_KIND: tuple[tuple[type[BeastError], int], ...] = (
    (Invalid, 400),
    (Unknown, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Throttled, 429),
    (Unavailable, 503),
    (BeastError, 500),
)
"""The status of each kind; `payload_too_large` and `method_not_allowed` differ."""

PROBLEMS: tuple[Problem, ...] = (
    Problem(
        "missing_key",
        401,
        "Key missing",
        "Send your key as `Authorization: Bearer KEY` or as `X-API-Key: KEY`.",
    ),
    Problem(
        "unknown_key",
        401,
        "Key unknown",
        "No such key exists. Compare it with the one that was mailed to you.",
    ),
    Problem(
        "revoked_key",
        403,
        "Key revoked",
        "This key was revoked for good. Use another key, or ask for a new one.",
    ),
    Problem(
        "tier_not_allowed",
        403,
        "Not part of the plan",
        "The key's plan does not include this. A larger plan does.",
    ),
    Problem(
        "invalid_request",
        400,
        "Request not valid",
        "The request cannot be understood; `detail` says which part, and why.",
    ),
    Problem(
        "too_many_assets",
        400,
        "Too many assets",
        "A request may name 30 different assets. Split it into several.",
    ),
    Problem(
        "unknown_asset",
        404,
        "Asset unknown",
        "This asset is not served. `GET /assets` lists those that are.",
    ),
    Problem(
        "not_found",
        404,
        "Nothing here",
        "There is nothing at this path. `/docs` lists the paths that exist.",
    ),
    Problem(
        "method_not_allowed",
        405,
        "Method not allowed",
        "The path exists, but not for this method; `Allow` lists its methods.",
    ),
    Problem(
        "conflict",
        409,
        "Conflict",
        "The change clashes with the present state. Read it again, then decide.",
    ),
    Problem(
        "payload_too_large",
        413,
        "Request too large",
        "The body or the head is larger than this server reads.",
    ),
    Problem(
        "rate_limited",
        429,
        "Too many requests",
        "The key's bucket is empty. Wait `retry_after_ms`, then ask again.",
    ),
    Problem(
        "quota_exceeded",
        429,
        "Monthly quota used up",
        "All requests of this month are used. They come back with the next month"
        " (UTC), or at once with a larger plan.",
    ),
    Problem(
        "price_stale",
        503,
        "Price too old",
        "The newest price is older than the `max_age_ms` you asked for.",
    ),
    Problem(
        "price_unavailable",
        503,
        "No live price",
        "The asset is known, but no source gives a live price right now. A stale"
        " one is never served; ask again shortly.",
    ),
    Problem(
        "overloaded",
        503,
        "Cannot answer right now",
        "Something that the answer needs is away or too busy; ask again shortly.",
    ),
    Problem(
        "internal",
        500,
        "Our mistake",
        "Something went wrong on our side. Tell us the request id (`instance`,"
        " also in `X-Request-Id`), and we can find it.",
    ),
)
"""Every code that HTTP answers may carry."""

CODES: Mapping[str, Problem] = MappingProxyType({each.code: each for each in PROBLEMS})
"""The same by code."""


def kind_of(error: BeastError) -> type[BeastError]:
    """Return which of the seven kinds an error is of, or `BeastError` itself."""
    for kind, _ in STATUS_OF_KIND:
        if isinstance(error, kind):
            return kind
    raise AssertionError  # pragma: no cover - the last row of the table takes all


def code_of(error: BeastError) -> str:
    """Return the public code of an error.

    Errors of our inner parts (an exchange, a queue) have codes of their own, for the
    log; outside they read as the general code of their kind.
    """
    return error.code if error.code in CODES else kind_of(error).code


def status_of(error: BeastError) -> int:
    """Return the HTTP status of an error."""
    return CODES[code_of(error)].status


def message_of(error: BeastError) -> str:
    """Return what the caller may read about an error."""
    return error.message if error.code in CODES else kind_of(error).template


def problem_body(error: BeastError, request_id: str) -> bytes:
    """Return an error as a problem details object."""
    code = code_of(error)
    problem = CODES[code]
    body: dict[str, object] = {
        "type": ERROR_PAGES + code,
        "title": problem.title,
        "status": problem.status,
        "detail": message_of(error),
        "instance": request_id,
        "code": code,
    }
    if isinstance(error, Throttled):
        body["retry_after_ms"] = error.retry_after_ms
    return msgspec.json.encode(body)


def error_headers(error: BeastError) -> dict[str, str]:
    """Return the headers that HTTP asks for beside an error's status."""
    headers: dict[str, str] = {}
    if isinstance(error, Unknown):
        headers["WWW-Authenticate"] = 'Bearer realm="trinity-beast"'
    if isinstance(error, Throttled):
        headers["Retry-After"] = str(-(-error.retry_after_ms // 1000))
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = str(error.context["allow"])
    return headers


def problem_response(error: BeastError, request_id: str) -> Response:
    """Return an error as a whole HTTP answer in the problem form."""
    return Response(
        problem_body(error, request_id),
        status_code=status_of(error),
        headers=error_headers(error),
        media_type=PROBLEM_TYPE,
    )
