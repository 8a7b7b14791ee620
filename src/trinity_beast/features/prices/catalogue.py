"""What the public may know of the catalogue, as the bodies that say so."""

from __future__ import annotations

from trinity_beast.features.catalogue import AssetRow, CatalogueSnapshot, FeedRow


def exchanges_body(snapshot: CatalogueSnapshot) -> dict[str, object]:
    """Return the enabled exchanges, each with its assets."""
    served = _served(snapshot)
    exchanges = [
        {
            "exchange_name": feed.exchange_name,
            "display_name": feed.display_name,
            "source_tag": feed.source_tag,
            "assets": [row.asset for row, owner in served if owner is feed],
        }
        for feed in snapshot.feeds
        if feed.enabled
    ]
    return {"count": len(exchanges), "exchanges": exchanges}


def assets_body(snapshot: CatalogueSnapshot) -> dict[str, object]:
    """Return the assets that are served, by name, each with where it comes from."""
    assets = [
        {
            "asset": row.asset,
            "category": row.category,
            "exchange_name": owner.exchange_name,
            "source_tag": owner.source_tag,
        }
        for row, owner in sorted(_served(snapshot), key=lambda pair: pair[0].asset)
    ]
    return {"count": len(assets), "assets": assets}


def categories_body(snapshot: CatalogueSnapshot) -> dict[str, object]:
    """Return the enabled categories in display order, each with its served assets."""
    served = _served(snapshot)
    categories = [
        {
            "category_name": category.category_name,
            "description": category.description,
            "display_order": category.display_order,
            "assets": [
                row.asset for row, _ in served if row.category == category.category_name
            ],
        }
        for category in sorted(
            snapshot.categories,
            key=lambda row: (row.display_order, row.category_name),
        )
        if category.enabled
    ]
    return {"count": len(categories), "categories": categories}


def _served(snapshot: CatalogueSnapshot) -> list[tuple[AssetRow, FeedRow]]:
    """Return each served asset once, with the exchange whose price it gets."""
    served: list[tuple[AssetRow, FeedRow]] = []
    seen: set[str] = set()
    for row in snapshot.assets:
        owner = snapshot.exchange_of(row.asset)
        is_owners = owner is not None and owner.exchange_name == row.exchange_name
        if owner is not None and is_owners and row.enabled and row.asset not in seen:
            seen.add(row.asset)
            served.append((row, owner))
    return served
