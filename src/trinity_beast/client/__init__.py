"""The Python client of the price server; it can be shipped without the server.

    from trinity_beast.client import BeastClient

    with BeastClient(key, "https://prices.example.org") as beast:
        print(beast.price("BTC").price)

`BeastClient` blocks, `AsyncBeastClient` is for asyncio; they differ in nothing else.
Prices come back as exact decimals, errors as classes named for what happened
(`trinity_beast.client.errors`), and what may be asked again is asked again, after the
time that the server names.

It needs httpx and websockets.
"""

from __future__ import annotations

from trinity_beast.client.async_client import AsyncBeastClient, AsyncPriceStream
from trinity_beast.client.errors import (
    AnswerUnreadable,
    BeastError,
    Conflict,
    InvalidRequest,
    KeyRefused,
    MethodNotAllowed,
    MissingKey,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    PriceStale,
    PriceUnavailable,
    QuotaExceeded,
    RateLimited,
    RevokedKey,
    ServerFault,
    Throttled,
    TierNotAllowed,
    TimedOut,
    TooManyAssets,
    Unavailable,
    UnknownAsset,
    UnknownKey,
    Unreachable,
)
from trinity_beast.client.options import NEVER, Options, RetryPolicy, Surroundings
from trinity_beast.client.prices import Batch, Failure, Price, PriceEvent
from trinity_beast.client.sync_client import BeastClient, PriceStream

__all__ = [
    "NEVER",
    "AnswerUnreadable",
    "AsyncBeastClient",
    "AsyncPriceStream",
    "Batch",
    "BeastClient",
    "BeastError",
    "Conflict",
    "Failure",
    "InvalidRequest",
    "KeyRefused",
    "MethodNotAllowed",
    "MissingKey",
    "NotFound",
    "Options",
    "Overloaded",
    "PayloadTooLarge",
    "Price",
    "PriceEvent",
    "PriceStale",
    "PriceStream",
    "PriceUnavailable",
    "QuotaExceeded",
    "RateLimited",
    "RetryPolicy",
    "RevokedKey",
    "ServerFault",
    "Surroundings",
    "Throttled",
    "TierNotAllowed",
    "TimedOut",
    "TooManyAssets",
    "Unavailable",
    "UnknownAsset",
    "UnknownKey",
    "Unreachable",
]
