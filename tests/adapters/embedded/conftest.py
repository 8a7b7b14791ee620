from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_place() -> Iterator[Path]:
    """Return a directory that everybody can enter; pytest's own are private."""
    place = Path(tempfile.mkdtemp(prefix="beast-open-", dir="/var/tmp"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)
