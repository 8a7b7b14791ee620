"""The seeded exchanges and assets, compared with the published ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trinity_beast.features.catalogue import catalogue_seeds

SPEC = Path(__file__).resolve().parents[4] / "shared" / "spec"


def published(name: str) -> list[dict[str, Any]]:
    file = SPEC / name
    if not file.exists():
        pytest.skip(f"the published rows are not at {file}")
    return json.loads(file.read_text(encoding="utf-8"))


def seeded(name: str) -> list[dict[str, Any]]:
    return [dict(row) for it in catalogue_seeds() if it.name == name for row in it.rows]


def test_the_exchanges_are_the_published_ones() -> None:
    assert seeded("exchange_feeds") == published("exchange_feeds.json")


def test_the_assets_are_the_published_ones_in_their_order() -> None:
    rows = [{**row, "enabled": True} for row in seeded("exchange_asset_map")]

    assert rows == published("exchange_asset_map.json")


def test_all_rows_of_a_seed_have_the_same_columns() -> None:
    """One INSERT takes them all."""
    for it in catalogue_seeds():
        assert len({frozenset(row) for row in it.rows}) == 1
