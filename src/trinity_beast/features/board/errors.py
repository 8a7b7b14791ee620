"""What can go wrong at the board."""

from __future__ import annotations

from trinity_beast.kernel.errors import Conflict, Invalid, Unavailable


class BoardInUse(Conflict):
    """Another process writes this board already."""

    code = "board_in_use"
    template = "Another process already writes the price board {path}."


class BoardFull(Unavailable):
    """There is no free record for one more asset or source."""

    code = "board_full"
    template = "The price board has no room for {name}."


class BoardRefused(Invalid):
    """A name or a price does not fit into a record."""

    code = "board_refused"
    template = "{name} does not fit on the price board."


class BoardUnreadable(Unavailable):
    """There is no board at this place, or not one of this layout."""

    code = "board_unreadable"
    template = "There is no price board at {path}."
