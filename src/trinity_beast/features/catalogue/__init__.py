"""The catalogue: exchanges, the assets they quote, and the groups assets are shown in.

Everything that tells an exchange's feed from another's is a row, so adding an exchange
or an asset is an INSERT that takes effect at once.  An asset counts when it is enabled
on an enabled exchange; when several quote it, the exchange with the lowest id has it.

Owns: exchange_feeds, exchange_asset_map, asset_categories.
Source: data dictionary 5.1, 5.2, 5.3.
"""

from trinity_beast.features.catalogue.live import Catalogue
from trinity_beast.features.catalogue.model import (
    EMPTY,
    AssetRow,
    CatalogueSnapshot,
    CategoryRow,
    FeedRow,
)
from trinity_beast.features.catalogue.seeds import catalogue_seeds
from trinity_beast.features.catalogue.service import CatalogueService

__all__ = [
    "EMPTY",
    "AssetRow",
    "Catalogue",
    "CatalogueService",
    "CatalogueSnapshot",
    "CategoryRow",
    "FeedRow",
    "catalogue_seeds",
]
