"""What a price is on this side of the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from trinity_beast.client.errors import BeastError, UnknownAsset

EventKind = Literal["snapshot", "price", "stale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price of one asset in US dollars.

    Attributes:
        asset: Its upper-case name.
        price: The price, exact.
        price_text: The same with the very digits that the exchange wrote, zeros at the
            end included.
        traded_at: When the exchange traded at it; aware, UTC.
        source: Where it comes from, such as ``coinbase-ws``.
        cached: It came from memory, not from a fetch for this request.
        age_s: Seconds since it arrived at the server.
        latency_ms: How long the fetch took; 0 from memory.
        duration_ms: How long the server took to answer.
    """

    asset: str
    price: Decimal
    price_text: str
    traded_at: datetime
    source: str
    cached: bool = True
    age_s: float = 0.0
    latency_ms: int = 0
    duration_ms: int = 0

    def to_json(self) -> str:
        """Return the fields as the server writes them: a JSON object on one line."""
        at = self.traded_at.astimezone(UTC).isoformat(timespec="milliseconds")
        rest = {
            "timestamp": at.replace("+00:00", "Z"),
            "source": self.source,
            "cached": self.cached,
            "cache_age_seconds": self.age_s,
            "latency_ms": self.latency_ms,
            "duration_ms": self.duration_ms,
        }
        rest_text = json.dumps(rest, separators=(",", ":"))
        asset = json.dumps(self.asset)
        return f'{{"asset":{asset},"price":{self.price_text},{rest_text[1:]}'


@dataclass(frozen=True, slots=True)
class Failure:
    """An asset of a batch that has no price.

    Attributes:
        asset: Its name as the server understood it.
        error: Why.
    """

    asset: str
    error: BeastError


@dataclass(frozen=True, slots=True)
class Batch:
    """The answer to a question about several assets, in the order asked.

    ``batch["BTC"]`` is the price of one, or raises why there is none; iterating gives
    all prices there are.

    Attributes:
        items: Prices and failures, one for each asset.
    """

    items: tuple[Price | Failure, ...]

    @property
    def prices(self) -> tuple[Price, ...]:
        """Return the prices alone."""
        return tuple(item for item in self.items if isinstance(item, Price))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Return the failures alone."""
        return tuple(item for item in self.items if isinstance(item, Failure))

    def __iter__(self) -> Iterator[Price]:
        """Iterate over the prices."""
        return iter(self.prices)

    def __len__(self) -> int:
        """Return how many prices there are."""
        return len(self.prices)

    def __getitem__(self, asset: str) -> Price:
        """Return the price of an asset, however its name is written.

        Raises:
            BeastError: Why it has none.
            UnknownAsset: The answer does not speak of it.
        """
        wanted = asset.strip(" ").upper()
        for item in self.items:
            if item.asset.upper() == wanted:
                if isinstance(item, Price):
                    return item
                raise item.error
        raise UnknownAsset(f"{wanted} was not part of the question.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEvent:
    """Something that a stream told.

    Attributes:
        kind: ``snapshot`` for what held when the stream began, ``price`` for a new
            price, ``stale`` when the asset's price is no longer live.
        asset: Which asset.
        price: Its price; None when there is none.
        error: Why there is none, if the server said so.
        event_id: Where a broken stream goes on after it; None if the server gave none.
    """

    kind: EventKind
    asset: str
    price: Price | None = None
    error: BeastError | None = None
    event_id: str | None = None
