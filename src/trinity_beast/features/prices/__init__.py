"""Prices: the newest price of an asset, to whoever holds a key.

A request's way is: key, limits, price, answer, usage record.  A price is served while
its feed is alive, or while it is young; a stale one is never served silently, and its
digits are those of the exchange.  A batch is one request, and one bad asset in it is
told in its place.  Beside the prices stand the public catalogue, the status of this
node and what a key holder may know of the own key.

Owns: no tables.
"""

from trinity_beast.features.prices.described import Described
from trinity_beast.features.prices.errors import (
    AssetMissing,
    PriceUnavailable,
    TooManyAssets,
    UnknownAsset,
)
from trinity_beast.features.prices.fast import PriceShortcut
from trinity_beast.features.prices.http import build_lpo_app, refusal_response
from trinity_beast.features.prices.model import (
    TENTH_NS,
    Form,
    Freshness,
    Price,
    PriceRequest,
    age_of,
    asset_named,
    is_asset_name,
    price_fields,
)
from trinity_beast.features.prices.outcomes import (
    grace_header,
    status_of_record,
    throttled,
)
from trinity_beast.features.prices.parts import Identity, LpoParts
from trinity_beast.features.prices.requests import KeyedPath, read_request
from trinity_beast.features.prices.service import Answer, PriceService
from trinity_beast.features.prices.status import freshness_of
from trinity_beast.features.prices.udp import PriceDatagrams

__all__ = [
    "TENTH_NS",
    "Answer",
    "AssetMissing",
    "Described",
    "Form",
    "Freshness",
    "Identity",
    "KeyedPath",
    "LpoParts",
    "Price",
    "PriceDatagrams",
    "PriceRequest",
    "PriceService",
    "PriceShortcut",
    "PriceUnavailable",
    "TooManyAssets",
    "UnknownAsset",
    "age_of",
    "asset_named",
    "build_lpo_app",
    "freshness_of",
    "grace_header",
    "is_asset_name",
    "price_fields",
    "read_request",
    "refusal_response",
    "status_of_record",
    "throttled",
]
