"""The catalogue that a process holds."""

from __future__ import annotations

import asyncio

import pytest

from trinity_beast.features.catalogue import (
    EMPTY,
    Catalogue,
    CatalogueSnapshot,
    CategoryRow,
)
from trinity_beast.toolkit.work import DatabaseAway

ONE = CatalogueSnapshot(categories=(CategoryRow(id=1, category_name="one"),))
TWO = CatalogueSnapshot(categories=(CategoryRow(id=2, category_name="two"),))


class Source:
    """Loads what it is told to, or fails."""

    def __init__(self, *snapshots: CatalogueSnapshot) -> None:
        self.snapshots = list(snapshots)

    async def load(self) -> CatalogueSnapshot:
        if not self.snapshots:
            raise DatabaseAway
        return self.snapshots.pop(0)


async def test_the_catalogue_is_empty_until_it_was_loaded() -> None:
    catalogue = Catalogue(Source(ONE).load)

    before = catalogue.snapshot
    await catalogue.refresh()

    assert (before, catalogue.snapshot) == (EMPTY, ONE)


async def test_watchers_hear_of_differences_only() -> None:
    catalogue = Catalogue(Source(ONE, ONE, TWO).load)
    heard: list[CatalogueSnapshot] = []
    catalogue.subscribe(heard.append)

    for _ in range(3):
        await catalogue.refresh()

    assert heard == [ONE, TWO]


async def test_a_watcher_that_left_hears_nothing() -> None:
    catalogue = Catalogue(Source().load)
    heard: list[CatalogueSnapshot] = []
    leave = catalogue.subscribe(heard.append)

    leave()
    leave()
    catalogue.replace(ONE)

    assert heard == []


async def test_the_old_snapshot_stays_when_loading_fails() -> None:
    catalogue = Catalogue(Source(ONE).load)
    await catalogue.refresh()

    with pytest.raises(DatabaseAway):
        await catalogue.refresh()

    assert catalogue.snapshot is ONE


async def test_an_older_answer_never_replaces_a_newer_one() -> None:
    """The first load is slow; the second waits for it instead of overtaking."""
    slow = asyncio.Event()
    answers = [ONE, TWO]

    async def load() -> CatalogueSnapshot:
        answer = answers.pop(0)
        if answer is ONE:
            await slow.wait()
        return answer

    catalogue = Catalogue(load)
    both = asyncio.gather(catalogue.refresh(), catalogue.refresh())
    await asyncio.sleep(0)
    slow.set()
    await both

    assert catalogue.snapshot is TWO
