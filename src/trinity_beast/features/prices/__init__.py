"""Prices: the newest price of an asset, to whoever holds a key.

A request's way is: key, limits, price, answer, usage record.  A price is served while
its feed is alive, or while it is young; a stale one is never served silently, and its
digits are those of the exchange.  A batch is one request, and one bad asset in it is
told in its place.  Beside the prices stand the public catalogue, the status of this
node and what a key holder may know of the own key.

Owns: no tables.
"""

from trinity_beast.features.prices.http import build_lpo_app
from trinity_beast.features.prices.model import Form, Freshness, PriceRequest
from trinity_beast.features.prices.parts import Identity, LpoParts
from trinity_beast.features.prices.service import Answer, PriceService

__all__ = [
    "Answer",
    "Form",
    "Freshness",
    "Identity",
    "LpoParts",
    "PriceRequest",
    "PriceService",
    "build_lpo_app",
]
