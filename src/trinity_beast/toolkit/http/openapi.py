"""The parts of an OpenAPI 3.1 document that all routes share.

Routes describe what is theirs (parameters, bodies, examples); this adds how keys are
sent, how errors read and which headers each answer has.  Source: OpenAPI 3.1.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from trinity_beast.toolkit.http.problems import CODES, ERROR_PAGES, PROBLEM_TYPE

KEYED: list[dict[str, list[str]]] = [{"bearer": []}, {"api_key": []}]
"""Security of a route that asks for a key: either way of sending it will do."""

_EXAMPLE_ID = "01996c5e-7d3b-7c1a-9d54-3f8e2a6b1c90"
_EXAMPLE_RETRY_MS = 120
_REQUEST_ID = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
_METERED = {
    "RateLimit-Policy": {"$ref": "#/components/headers/RateLimitPolicy"},
    "RateLimit": {"$ref": "#/components/headers/RateLimit"},
    "X-Grace-Until": {"$ref": "#/components/headers/GraceUntil"},
}
_EXTRA_HEADERS: dict[int, dict[str, object]] = {
    401: {"WWW-Authenticate": {"$ref": "#/components/headers/WwwAuthenticate"}},
    405: {"Allow": {"$ref": "#/components/headers/Allow"}},
    429: {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
}
_UNMETERED = frozenset({401})


def answer_headers(*, keyed: bool) -> dict[str, object]:
    """Return the headers of a good answer."""
    return {**_REQUEST_ID, **(_METERED if keyed else {})}


def error_responses(*codes: str, keyed: bool = False) -> dict[int | str, Any]:
    """Return what a route's errors look like, one response for each status.

    Args:
        codes: Public codes that the route can answer.
        keyed: The route asks for a key, so it also speaks the tbc form.
    """
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in codes:
        by_status[CODES[code].status].append(code)
    return {
        status: _response(status, sharing, keyed=keyed)
        for status, sharing in sorted(by_status.items())
    }


def finish(document: dict[str, Any]) -> None:
    """Add the shared components to a document; twice is as good as once."""
    components: dict[str, Any] = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(_schemas())
    components["headers"] = _headers()
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "`Authorization: Bearer KEY`",
        },
        "api_key": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "The same key in a header of its own.",
        },
    }


def _response(status: int, codes: list[str], *, keyed: bool) -> dict[str, Any]:
    content = {
        PROBLEM_TYPE: {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": {code: {"value": _problem_example(code)} for code in codes},
        },
    }
    if keyed and status not in _UNMETERED:
        content["application/json"] = {
            "schema": {"$ref": "#/components/schemas/TbcError"},
            "examples": {code: {"value": _tbc_example(code)} for code in codes},
        }
    metered = keyed and status not in _UNMETERED
    headers = {
        **_REQUEST_ID,
        **(_METERED if metered else {}),
        **_EXTRA_HEADERS.get(status, {}),
    }
    titles = "; ".join(f"`{code}`: {CODES[code].explanation}" for code in codes)
    return {"description": titles, "headers": headers, "content": content}


def _problem_example(code: str) -> dict[str, object]:
    problem = CODES[code]
    example: dict[str, object] = {
        "type": ERROR_PAGES + code,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.explanation,
        "instance": _EXAMPLE_ID,
        "code": code,
    }
    return example | _retry_example(code)


def _tbc_example(code: str) -> dict[str, object]:
    problem = CODES[code]
    example: dict[str, object] = {
        "status": f"❌ [LPO] [us-east-2] [BeastMain] [/price] [{problem.status}]",
        "status_code": problem.status,
        "endpoint": "/price",
        "error": {"code": code, "message": problem.explanation},
    }
    return example | _retry_example(code)


def _retry_example(code: str) -> dict[str, object]:
    return {"retry_after_ms": _EXAMPLE_RETRY_MS} if CODES[code].status == 429 else {}  # noqa: PLR2004 - Too Many Requests


def _schemas() -> dict[str, Any]:
    code = {"type": "string", "enum": list(CODES)}
    retry = {
        "type": "integer",
        "description": "Milliseconds until asking again makes sense; only with 429.",
    }
    problem: dict[str, Any] = {
        "type": {"type": "string", "description": "Path of the code's own page."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "Id of the request."},
        "code": code,
    }
    tbc: dict[str, Any] = {
        "status": {"type": "string"},
        "status_code": {"type": "integer"},
        "endpoint": {"type": "string"},
        "error": {
            "type": "object",
            "properties": {"code": code, "message": {"type": "string"}},
            "required": ["code", "message"],
        },
    }
    return {
        "Problem": _object("A problem as RFC 9457 has it.", problem, retry),
        "TbcError": _object("An error in the tbc envelope.", tbc, retry),
    }


def _object(description: str, members: dict[str, Any], retry: object) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": {**members, "retry_after_ms": retry},
        "required": list(members),
    }


def _headers() -> dict[str, Any]:
    return {
        "RequestId": _header(
            "Id of this request; name it when you ask us.", _EXAMPLE_ID
        ),
        "RateLimitPolicy": _header(
            "The key's limits (q requests in a window of w seconds).",
            '"second";q=5;w=1, "month";q=50000;w=2592000',
        ),
        "RateLimit": _header(
            "What is left (r) and in how many seconds there is more (t).",
            '"second";r=4;t=1, "month";r=49213;t=853200',
        ),
        "GraceUntil": _header(
            "A payment is overdue; until then the plan's limits still hold.",
            "2026-09-28T00:00:00.000Z",
        ),
        "RetryAfter": _header("Whole seconds until asking again makes sense.", "1"),
        "WwwAuthenticate": _header(
            "How to authenticate.",
            'Bearer realm="trinity-beast"',
        ),
        "Allow": _header("The methods of this path.", "GET, HEAD"),
    }


def _header(description: str, example: str) -> dict[str, Any]:
    return {
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }
