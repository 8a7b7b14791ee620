"""Exchanges, their assets and the groups that assets are shown in.

Source: data dictionary 5.1, 5.2, 5.3.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Table, Text, UniqueConstraint

from trinity_beast.toolkit.columns import (
    counted_key,
    created_at,
    optional,
    required,
    updated_at,
)
from trinity_beast.toolkit.tables import metadata

exchange_feeds = Table(
    "exchange_feeds",
    metadata,
    counted_key(),
    required("exchange_name", Text),
    required("display_name", Text),
    required("ws_endpoint", Text),
    required("subscribe_format", Text, "'json'"),
    required("pair_suffix", Text, "'USD'"),
    required("symbol_template", Text),
    required("symbol_separator", Text, "'-'"),
    optional("parse_regex", Text),
    required("source_tag", Text),
    optional("subscribe_template", Text),
    optional("trade_channel_match", Text),
    optional("price_path", Text),
    optional("symbol_path", Text),
    optional("timestamp_path", Text),
    optional("timestamp_format", Text, "'rfc3339'"),
    optional("ping_interval_sec", Integer, "0"),
    optional("ping_message", Text),
    optional("symbol_style", Text, "'standard'"),
    optional("msg_is_array", Boolean, "false"),
    optional("array_path", Text),
    required("enabled", Boolean, "true"),
    optional("notes", Text),
    created_at(),
    updated_at(),
    UniqueConstraint("exchange_name"),
    Index("idx_exchange_feeds_enabled", "enabled"),
)

exchange_asset_map = Table(
    "exchange_asset_map",
    metadata,
    counted_key(),
    required("exchange_name", Text),
    required("asset", Text),
    required("exchange_symbol", Text),
    required("enabled", Boolean, "true"),
    required("category", Text, "'Infrastructure'"),
    UniqueConstraint("exchange_name", "asset"),
    Index("idx_exchange_asset_map_exchange", "exchange_name"),
    Index("idx_exchange_asset_map_asset", "asset"),
)

asset_categories = Table(
    "asset_categories",
    metadata,
    counted_key(),
    required("category_name", Text),
    required("description", Text, "''"),
    required("display_order", Integer, "100"),
    required("enabled", Boolean, "true"),
    created_at(),
)
