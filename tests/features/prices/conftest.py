"""The world around the price application, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from support.lpo import World
from trinity_beast.features.board import BoardReader, BoardWriter

if TYPE_CHECKING:
    from support.clocks import FixedClock
    from support.randomness import SeededRandomness


@pytest.fixture
def world(
    tmp_path: Path,
    clock: FixedClock,
    randomness: SeededRandomness,
) -> Iterator[World]:
    writer = BoardWriter.create(tmp_path / "board")
    reader = BoardReader.open(tmp_path / "board")
    yield World(writer, reader, clock, randomness)
    reader.close()
    writer.close()


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client
