"""The catalogue as it is read from the database."""

from __future__ import annotations

from sqlalchemy import insert

from trinity_beast.features.catalogue import (
    EMPTY,
    AssetRow,
    CatalogueService,
    CategoryRow,
    FeedRow,
)
from trinity_beast.features.catalogue.tables import (
    asset_categories,
    exchange_asset_map,
    exchange_feeds,
)
from trinity_beast.kernel.time import to_datetime
from trinity_beast.toolkit.work import UnitOfWork

MOMENT = to_datetime(1_790_000_000_123_456_000)
FEED = {
    "id": 3,
    "exchange_name": "x",
    "display_name": "X",
    "ws_endpoint": "wss://x.test",
    "symbol_template": "{asset}",
    "source_tag": "x-ws",
    "subscribe_format": "text",
    "pair_suffix": "EUR",
    "symbol_separator": "",
    "parse_regex": "a",
    "subscribe_template": "b",
    "trade_channel_match": "c",
    "price_path": "d",
    "symbol_path": "e",
    "timestamp_path": "f",
    "timestamp_format": "unix_ns",
    "ping_interval_sec": 5,
    "ping_message": "g",
    "symbol_style": "okx",
    "msg_is_array": True,
    "array_path": "h",
    "enabled": False,
    "notes": "i",
    "created_at": MOMENT,
    "updated_at": MOMENT,
}


async def test_an_empty_database_has_an_empty_catalogue(work: UnitOfWork) -> None:
    assert await CatalogueService(work).load() == EMPTY


async def test_every_column_is_read_and_nothing_is_left_out(work: UnitOfWork) -> None:
    async with work.begin() as connection:
        await connection.execute(insert(exchange_feeds).values(**FEED))
        await connection.execute(
            insert(exchange_asset_map).values(
                id=7,
                exchange_name="x",
                asset="btc",
                exchange_symbol="xbt",
                enabled=False,
                category="Major Currencies",
            )
        )
        await connection.execute(
            insert(asset_categories),
            [
                {"id": 1, "category_name": "last", "display_order": 100},
                {"id": 2, "category_name": "second", "display_order": 5},
                {"id": 3, "category_name": "third", "display_order": 5},
            ],
        )

    snapshot = await CatalogueService(work).load()

    assert len(FEED) == 25
    assert snapshot.feeds == (FeedRow(**FEED),)  # pyright: ignore[reportArgumentType] - values of all kinds
    assert snapshot.assets == (
        AssetRow(
            id=7,
            exchange_name="x",
            asset="BTC",
            exchange_symbol="xbt",
            enabled=False,
            category="Major Currencies",
        ),
    )
    assert snapshot.categories == (
        CategoryRow(id=2, category_name="second", display_order=5),
        CategoryRow(id=3, category_name="third", display_order=5),
        CategoryRow(id=1, category_name="last"),
    )


async def test_a_row_with_the_least_has_the_columns_defaults(work: UnitOfWork) -> None:
    """FeedRow's own defaults are those of the table."""
    least = {name: FEED[name] for name in list(FEED)[:6]}
    async with work.begin() as connection:
        await connection.execute(insert(exchange_feeds).values(**least))

    (row,) = (await CatalogueService(work).load()).feeds

    assert row == FeedRow(
        **least,  # pyright: ignore[reportArgumentType] - values of all kinds
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
    assert row.created_at is not None


async def test_a_fresh_installation_has_150_assets_on_six_exchanges(
    seeded_work: UnitOfWork,
) -> None:
    snapshot = await CatalogueService(seeded_work).load()

    feeds = {feed.exchange_name: feed.enabled for feed in snapshot.feeds}
    assert feeds == {
        "coinbase": True,
        "gemini": True,
        "kraken": True,
        "gateio": True,
        "bybit": True,
        "okx": True,
        "cryptocom": False,
    }
    assert {name: len(snapshot.assets_of(name)) for name in feeds} == {
        **dict.fromkeys(feeds, 25),
        "cryptocom": 0,
    }
    assert len(snapshot.asset_names()) == 150
    assert {asset.category for asset in snapshot.assets} == {
        category.category_name for category in snapshot.categories
    }
    assert [category.display_order for category in snapshot.categories] == [
        10,
        20,
        30,
        40,
        50,
        60,
        70,
    ]
