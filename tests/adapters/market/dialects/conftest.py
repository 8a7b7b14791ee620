"""A conversation and some trades for every dialect."""

from __future__ import annotations

import pytest

from support.clocks import NOON_NS
from trinity_beast.adapters.market.dialects import Conversation
from trinity_beast.adapters.market.tape import Trade


@pytest.fixture
def talk() -> Conversation:
    return Conversation(token="0123456789abcdef" * 4, opened_ns=0, heard_ns=0)


@pytest.fixture
def trades() -> list[Trade]:
    """Two fills of one order in BTC-USD, oldest first."""
    return [
        Trade("BTC-USD", 8_001, "buy", "65000.10", "0.00500000", NOON_NS + 1_234_567),
        Trade("BTC-USD", 8_002, "buy", "65001.20", "0.00250000", NOON_NS + 1_234_567),
    ]
