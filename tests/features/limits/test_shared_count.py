"""The model that the tests of this folder share leases by keeps the real contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contracts.leases import LeasesContract, OpenLeases
from support.leases import SharedCount

if TYPE_CHECKING:
    from support.clocks import FixedClock


@pytest.fixture
def leases(clock: FixedClock) -> OpenLeases:
    return SharedCount(clock).of


class TestSharedCount(LeasesContract):
    """The model keeps the contract."""
