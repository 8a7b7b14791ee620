"""What the catalogue's tables say, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """One row of ``exchange_feeds``: how to connect, subscribe and read trades.

    The names are those of the columns; None is NULL.  Nothing is checked here: a row
    that cannot work is for the feed to report by name.
    """

    id: int
    exchange_name: str
    display_name: str
    ws_endpoint: str
    symbol_template: str
    source_tag: str
    subscribe_format: str = "json"
    pair_suffix: str = "USD"
    symbol_separator: str = "-"
    parse_regex: str | None = None
    subscribe_template: str | None = None
    trade_channel_match: str | None = None
    price_path: str | None = None
    symbol_path: str | None = None
    timestamp_path: str | None = None
    timestamp_format: str | None = "rfc3339"
    ping_interval_sec: int | None = 0
    ping_message: str | None = None
    symbol_style: str | None = "standard"
    msg_is_array: bool | None = False
    array_path: str | None = None
    enabled: bool = True
    notes: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRow:
    """One row of ``exchange_asset_map``: what an exchange calls an asset.

    Attributes:
        asset: Our name of it, in upper case whatever the table says.
        exchange_symbol: The exchange's name of it.
    """

    id: int
    exchange_name: str
    asset: str
    exchange_symbol: str
    enabled: bool = True
    category: str = "Infrastructure"


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRow:
    """One row of ``asset_categories``; low ``display_order`` is shown first."""

    id: int
    category_name: str
    description: str = ""
    display_order: int = 100
    enabled: bool = True


@dataclass(frozen=True)
class CatalogueSnapshot:
    """The catalogue at one moment.

    Attributes:
        feeds: All exchanges, disabled ones too, by id.
        assets: All mappings, disabled ones too, by id.
        categories: All categories, hidden ones too, in the order they are shown.
    """

    feeds: tuple[FeedRow, ...] = ()
    assets: tuple[AssetRow, ...] = ()
    categories: tuple[CategoryRow, ...] = ()

    def assets_of(self, exchange_name: str) -> tuple[AssetRow, ...]:
        """Return the enabled assets of an exchange, by id."""
        return self._assets_by_exchange.get(exchange_name, ())

    def exchange_of(self, asset: str) -> FeedRow | None:
        """Return the enabled exchange that an enabled asset's price comes from.

        When several quote the asset it is the one with the lowest id.
        """
        return self._feed_by_asset.get(asset)

    def asset_names(self) -> tuple[str, ...]:
        """Return the assets that have an exchange, sorted, each once."""
        return tuple(sorted(self._feed_by_asset))

    @cached_property
    def _assets_by_exchange(self) -> Mapping[str, tuple[AssetRow, ...]]:
        found: dict[str, list[AssetRow]] = {}
        for row in self.assets:
            if row.enabled:
                found.setdefault(row.exchange_name, []).append(row)
        return {name: tuple(rows) for name, rows in found.items()}

    @cached_property
    def _feed_by_asset(self) -> Mapping[str, FeedRow]:
        found: dict[str, FeedRow] = {}
        for feed in sorted(self.feeds, key=lambda row: row.id):
            if feed.enabled:
                for row in self.assets_of(feed.exchange_name):
                    found.setdefault(row.asset, feed)
        return found


EMPTY = CatalogueSnapshot()
"""The catalogue before it was first loaded."""
