"""What a snapshot of the catalogue answers."""

from __future__ import annotations

from trinity_beast.features.catalogue import AssetRow, CatalogueSnapshot, FeedRow


def feed(row_id: int, name: str, *, enabled: bool = True) -> FeedRow:
    return FeedRow(
        id=row_id,
        exchange_name=name,
        display_name=name.title(),
        ws_endpoint=f"wss://{name}.test",
        symbol_template="{ASSET}-USD",
        source_tag=f"{name}-ws",
        enabled=enabled,
    )


def asset(row_id: int, exchange: str, name: str, *, enabled: bool = True) -> AssetRow:
    return AssetRow(
        id=row_id,
        exchange_name=exchange,
        asset=name,
        exchange_symbol=f"{name}-USD",
        enabled=enabled,
    )


FIRST, SECOND, OFF = feed(1, "first"), feed(2, "second"), feed(3, "off", enabled=False)
BTC, ETH = asset(1, "first", "BTC"), asset(2, "first", "ETH", enabled=False)
SNAPSHOT = CatalogueSnapshot(
    # Not by id, as somebody who wraps the loader may leave them.
    feeds=(SECOND, OFF, FIRST),
    assets=(
        BTC,
        ETH,
        asset(3, "second", "BTC"),
        asset(4, "second", "ADA"),
        asset(5, "off", "XRP"),
        asset(6, "nobody", "DOGE"),
    ),
)


def test_the_assets_of_an_exchange_are_the_enabled_ones() -> None:
    assert SNAPSHOT.assets_of("first") == (BTC,)
    assert SNAPSHOT.assets_of("unheard of") == ()


def test_an_asset_comes_from_the_enabled_exchange_with_the_lowest_id() -> None:
    names = ("BTC", "ADA", "ETH", "XRP", "DOGE", "NONE", "btc")

    assert {name: SNAPSHOT.exchange_of(name) for name in names} == {
        "BTC": FIRST,
        "ADA": SECOND,
        "ETH": None,
        "XRP": None,
        "DOGE": None,
        "NONE": None,
        "btc": None,
    }


def test_asset_names_are_sorted_and_only_those_that_have_an_exchange() -> None:
    assert SNAPSHOT.asset_names() == ("ADA", "BTC")


def test_equal_rows_make_equal_snapshots() -> None:
    """Watchers are told of differences only, whatever a snapshot has been asked."""
    assert CatalogueSnapshot(SNAPSHOT.feeds, SNAPSHOT.assets) == SNAPSHOT
