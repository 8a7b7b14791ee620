"""How the routes describe themselves in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from trinity_beast.features.prices import schemas
from trinity_beast.toolkit.http.openapi import KEYED, answer_headers, error_responses

_KEY_ERRORS = (
    "missing_key",
    "unknown_key",
    "revoked_key",
    "invalid_request",
    "rate_limited",
    "overloaded",
    "internal",
)
_FORMAT = {
    "name": "format",
    "in": "query",
    "description": "Body format instead of the key's own.",
    "schema": {"type": "string", "enum": ["tbc", "plain"]},
}
_MAX_AGE = {
    "name": "max_age_ms",
    "in": "query",
    "description": "A price older than this is refused with `price_stale`.",
    "schema": {"type": "integer", "minimum": 0},
}
_ASSET = {
    "name": "asset",
    "in": "query",
    "required": True,
    "description": "The asset, in any case.",
    "schema": {"type": "string"},
    "example": "BTC",
}
_ASSETS = {
    "name": "assets",
    "in": "query",
    "required": True,
    "description": "Up to 30 different assets, separated by commas.",
    "schema": {"type": "string"},
    "example": "BTC,ETH",
}
_BTC = {
    "asset": "BTC",
    "price": 65000.25,
    "timestamp": "2026-09-21T14:13:19.500Z",
    "source": "coinbase-ws",
    "cached": True,
    "cache_age_seconds": 0.4,
    "latency_ms": 0,
    "duration_ms": 0,
}
_FAILED = {
    "asset": "XXX",
    "error": {
        "code": "unknown_asset",
        "message": "The asset XXX is not served.",
    },
}
_BATCH = {"count": 2, "prices": [_BTC, _FAILED]}
_ACCOUNT = {
    "key": "tb_live_ABCD…wxyz",
    "name": None,
    "tier": "pro",
    "served_as": "pro",
    "subscription_status": "active",
    "response_format": "tbc",
    "limits": {
        "requests_per_second": 5,
        "burst": 10,
        "minimum_wait_ms": 200,
        "requests_per_month": 50000,
    },
    "month": {
        "used": 787,
        "remaining": 49213,
        "resets_at": "2026-10-01T00:00:00.000Z",
    },
    "grace_until": None,
    "reports": {"per_month": 10},
}


_DECISIONS = {
    "count": 1,
    "limits": [
        {
            "at": "2026-09-21T14:13:20.000Z",
            "endpoint": "/price",
            "code": "rate_limited",
            "tokens_left": 0,
            "month_remaining": 49213,
            "retry_after_ms": 200,
        },
    ],
}


class Described(NamedTuple):
    """What a route says of itself."""

    tag: str
    summary: str
    description: str
    responses: dict[int | str, Any]
    extra: dict[str, Any]


def _opening(endpoint: str) -> dict[str, object]:
    return {
        "status": f"✅ [LPO] [us-east-2] [BeastMain] [{endpoint}] [200]",
        "status_code": 200,
        "endpoint": endpoint,
    }


def _answer(
    model: object,
    examples: Mapping[str, object],
    *,
    keyed: bool,
) -> dict[str, Any]:
    shown = {name: {"value": value} for name, value in examples.items()}
    return {
        "model": model,
        "description": "The answer.",
        "headers": answer_headers(keyed=keyed),
        "content": {"application/json": {"examples": shown}},
    }


def _both(endpoint: str, plain: Mapping[str, object]) -> dict[str, object]:
    return {"plain": plain, "tbc": {**_opening(endpoint), **plain}}


def _keyed(
    model: object,
    examples: Mapping[str, object],
    *codes: str,
) -> dict[int | str, Any]:
    return {
        200: _answer(model, examples, keyed=True),
        **error_responses(*_KEY_ERRORS, *codes, keyed=True),
    }


def _public(model: object, example: Mapping[str, object]) -> dict[int | str, Any]:
    return {
        200: _answer(model, {"answer": example}, keyed=False),
        **error_responses("internal"),
    }


ONE_PRICE = Described(
    "Prices",
    "Price of one asset",
    "The newest price of one asset. It is never older than its feed's silence allows;"
    " when no source is live, the answer is `price_unavailable`.",
    _keyed(
        schemas.PlainPrice | schemas.TbcPrice,
        _both("/price", _BTC),
        "unknown_asset",
        "quota_exceeded",
        "price_stale",
        "price_unavailable",
    ),
    {"security": KEYED, "parameters": [_ASSET, _MAX_AGE, _FORMAT]},
)
_PRICES_RESPONSES = _keyed(
    schemas.PlainPrices | schemas.TbcPrices,
    _both("/prices", _BATCH),
    "too_many_assets",
    "quota_exceeded",
    "payload_too_large",
)
SOME_PRICES = Described(
    "Prices",
    "Prices of several assets",
    "Up to 30 assets for one request. What is wrong with one asset is told in its"
    " place; the others have their prices.",
    _PRICES_RESPONSES,
    {"security": KEYED, "parameters": [_ASSETS, _MAX_AGE, _FORMAT]},
)
POSTED_PRICES = Described(
    "Prices",
    "Prices of several assets, asked in a body",
    "The same as `GET /prices`, with the parameters in a JSON body.",
    _PRICES_RESPONSES,
    {
        "security": KEYED,
        "parameters": [_FORMAT],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": schemas.PricesQuestion.model_json_schema(),
                    "examples": {"two": {"value": {"assets": ["BTC", "XXX"]}}},
                },
            },
        },
    },
)
ACCOUNT_KEY = Described(
    "Account",
    "Your key",
    "Tier, limits and what is left of the month. It costs nothing of the month.",
    _keyed(
        schemas.PlainAccount | schemas.TbcAccount,
        _both("/account/key", _ACCOUNT),
    ),
    {"security": KEYED, "parameters": [_FORMAT]},
)
ACCOUNT_LIMITS = Described(
    "Account",
    "Why you were limited",
    "The last 100 decisions of the limits on your key, newest first, each with the"
    " state of the bucket after it. It costs nothing of the month.",
    _keyed(
        schemas.PlainDecisions | schemas.TbcDecisions,
        _both("/account/limits", _DECISIONS),
    ),
    {"security": KEYED, "parameters": [_FORMAT]},
)
CATEGORIES = Described(
    "Catalogue",
    "Asset categories",
    "The enabled categories in display order, each with its assets.",
    _public(
        schemas.Categories,
        {
            "count": 1,
            "categories": [
                {
                    "category_name": "Layer 1",
                    "description": "Base networks.",
                    "display_order": 1,
                    "assets": ["BTC", "ETH"],
                },
            ],
        },
    ),
    {},
)
EXCHANGES = Described(
    "Catalogue",
    "Exchanges",
    "The enabled exchanges, each with the assets whose price comes from it.",
    _public(
        schemas.Exchanges,
        {
            "count": 1,
            "exchanges": [
                {
                    "exchange_name": "coinbase",
                    "display_name": "Coinbase",
                    "source_tag": "coinbase-ws",
                    "assets": ["BTC"],
                },
            ],
        },
    ),
    {},
)
ASSETS = Described(
    "Catalogue",
    "Assets",
    "All assets that are served, by name.",
    _public(
        schemas.Assets,
        {
            "count": 1,
            "assets": [
                {
                    "asset": "BTC",
                    "category": "Layer 1",
                    "exchange_name": "coinbase",
                    "source_tag": "coinbase-ws",
                },
            ],
        },
    ),
    {},
)
STATUS = Described(
    "Health",
    "Status of this node",
    "State of each feed, age of each price, and the usage pipeline.",
    {
        200: _answer(schemas.Status, {}, keyed=False),
        **error_responses("internal"),
    },
    {},
)
LIVE = Described(
    "Health",
    "Is the process alive",
    "Answers as long as the process does.",
    _public(schemas.Liveness, {"status": "live"}),
    {},
)
_READY = {
    "status": "degraded",
    "capabilities": {
        "prices": {"status": "ready"},
        "database": {"status": "degraded", "reason": "The database is away."},
    },
}
READY = Described(
    "Health",
    "Should this listener be asked",
    "200 while prices can be served, `degraded` with what is missing; else 503.",
    {
        **_public(schemas.Readiness, _READY),
        503: _answer(schemas.Readiness, {}, keyed=False),
    },
    {},
)
