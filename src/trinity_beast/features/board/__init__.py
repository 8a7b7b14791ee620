"""The price board: the newest price of each asset, in memory that processes share.

One process writes, any number read, nobody locks: each asset has one record of fixed
size whose checksum tells a reader when it caught the writer in the middle.  The newest
trade wins, so late and repeated frames change nothing.  Beside the prices stand when
each source was last heard and the feed engine's own report.

Owns: no tables.
"""

from trinity_beast.features.board.errors import (
    BoardFull,
    BoardInUse,
    BoardRefused,
    BoardUnreadable,
)
from trinity_beast.features.board.layout import LATE_AFTER_NS, Quote, Tick, as_of_ns
from trinity_beast.features.board.reader import BoardReader
from trinity_beast.features.board.writer import BoardWriter

__all__ = [
    "LATE_AFTER_NS",
    "BoardFull",
    "BoardInUse",
    "BoardReader",
    "BoardRefused",
    "BoardUnreadable",
    "BoardWriter",
    "Quote",
    "Tick",
    "as_of_ns",
]
