"""The exchanges, assets and categories that a fresh installation starts with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from trinity_beast.features.catalogue.tables import (
    asset_categories,
    exchange_asset_map,
    exchange_feeds,
)
from trinity_beast.toolkit.seeds import Seed

_CATEGORIES = (
    ("Major Currencies", "The largest coins and the oldest networks."),
    ("DeFi", "Lending, exchanges and other finance that runs on a blockchain."),
    ("Layer 2", "Networks that settle on another one to be faster or cheaper."),
    ("AI & Data", "Computing, models and data that are paid for in tokens."),
    ("Gaming & NFTs", "Games, virtual worlds and collectibles."),
    ("Meme Coins", "Coins that live on a joke and a community."),
    ("Infrastructure", "Networks, oracles, storage and other foundations."),
)
_FIRST_ORDER = 10

# Left out in the data where an exchange needs nothing else.
_FEED_DEFAULTS: Mapping[str, object] = {
    "subscribe_format": "json",
    "pair_suffix": "USD",
    "symbol_separator": "-",
    "parse_regex": None,
    "timestamp_format": "rfc3339",
    "ping_interval_sec": 0,
    "ping_message": None,
    "symbol_style": "standard",
    "msg_is_array": False,
    "array_path": None,
    "enabled": True,
}


def catalogue_seeds() -> tuple[Seed, ...]:
    """Return seven categories, seven exchanges (one disabled) and 150 assets."""
    exchanges = _exchanges()
    feeds = tuple(_feed(exchange) for exchange in exchanges)
    assets = tuple(asset for exchange in exchanges for asset in _assets(exchange))
    return (
        Seed(asset_categories, ("category_name",), _categories()),
        Seed(exchange_feeds, ("exchange_name",), feeds),
        # No two exchanges share an asset, so one that stands anywhere is not missing.
        Seed(exchange_asset_map, ("asset",), assets),
    )


def _exchanges() -> list[dict[str, Any]]:
    data = files(__package__ or "").joinpath("data", "exchanges.json")
    return json.loads(data.read_text(encoding="utf-8"))


def _categories() -> tuple[Mapping[str, object], ...]:
    return tuple(
        {
            "category_name": name,
            "description": description,
            "display_order": place * _FIRST_ORDER,
        }
        for place, (name, description) in enumerate(_CATEGORIES, start=1)
    )


def _feed(exchange: Mapping[str, Any]) -> Mapping[str, object]:
    stated = {name: value for name, value in exchange.items() if name != "assets"}
    return {**_FEED_DEFAULTS, **stated}


def _assets(exchange: Mapping[str, Any]) -> list[Mapping[str, object]]:
    """Return the assets of an exchange; its symbol template makes their symbols."""
    template: str = exchange["symbol_template"]
    return [
        {
            "exchange_name": exchange["exchange_name"],
            "asset": asset,
            "exchange_symbol": template.format(ASSET=asset, asset=asset.lower()),
            "category": category,
        }
        for category, names in exchange["assets"].items()
        for asset in names.split()
    ]
