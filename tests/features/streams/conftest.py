"""The world around the price application, and its streams over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.lpo import World
from support.streams import Listener
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
async def listener(world: World) -> AsyncIterator[Listener]:
    """Serve the application with its streams; its hub turns when a test says so."""
    listener = Listener(world)
    await listener.start()
    yield listener
    await listener.stop()
