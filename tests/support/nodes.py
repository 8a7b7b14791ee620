"""How tests open a node of the product in their own process."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from trinity_beast.apps.market import MarketChoice
from trinity_beast.apps.node import Node

SIMULATED = MarketChoice("simulated")


class OpenNode(Protocol):
    """Opens a node for the length of a block; without roles it plays all of them."""

    def __call__(
        self,
        *roles: str,
        choice: MarketChoice = SIMULATED,
    ) -> AbstractAsyncContextManager[Node]:
        """Return the node, to be entered."""
        ...
