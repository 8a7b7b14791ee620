"""Reads the catalogue's tables."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.catalogue.model import AssetRow, CategoryRow, FeedRow
from trinity_beast.features.catalogue.tables import (
    asset_categories,
    exchange_asset_map,
    exchange_feeds,
)


async def list_feeds(connection: AsyncConnection) -> tuple[FeedRow, ...]:
    """Return all exchanges, by id."""
    statement = select(exchange_feeds).order_by(exchange_feeds.c.id)
    rows = (await connection.execute(statement)).mappings()
    return tuple(FeedRow(**row) for row in rows)


async def list_assets(connection: AsyncConnection) -> tuple[AssetRow, ...]:
    """Return all assets of all exchanges, by id, named in upper case."""
    statement = select(exchange_asset_map).order_by(exchange_asset_map.c.id)
    rows = (await connection.execute(statement)).mappings()
    # Requests are turned to upper case, so an asset inserted as "btc" must be too.
    return tuple(AssetRow(**{**row, "asset": row["asset"].upper()}) for row in rows)


async def list_categories(connection: AsyncConnection) -> tuple[CategoryRow, ...]:
    """Return all categories in the order in which they are shown."""
    table = asset_categories
    shown = [column for column in table.c if column is not table.c.created_at]
    statement = select(*shown).order_by(table.c.display_order, table.c.id)
    rows = (await connection.execute(statement)).mappings()
    return tuple(CategoryRow(**row) for row in rows)
