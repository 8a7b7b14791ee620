"""Live prices from exchanges' WebSockets, by table rows alone.

A row of ``exchange_feeds`` says where to connect, how to ask and where in a frame the
price, symbol and time stand; ``exchange_asset_map`` says for what.  Adding an exchange
is an INSERT: no code knows an exchange by name.  A price stays the text that the
exchange wrote.  What cannot be a trade makes none, whatever it is, and is counted.
Connections are made again for ever, inside each venue's limits; a symbol that a venue
refuses is found and named, and its neighbours go on.

Owns: no tables; reads those of the catalogue.
Source: data dictionary 5.2, 5.3.
"""

from trinity_beast.features.feeds.checking import FeedCheck, check_feeds
from trinity_beast.features.feeds.decoder import FrameDecoder
from trinity_beast.features.feeds.engine import FeedEngine
from trinity_beast.features.feeds.errors import (
    ExchangeNotChosen,
    FeedRowInvalid,
    FrameLineInvalid,
    RowsInvalid,
)
from trinity_beast.features.feeds.lines import (
    choose_row,
    decode_lines,
    decode_recording,
    read_rows,
)
from trinity_beast.features.feeds.model import Board, Decoded, Trade
from trinity_beast.features.feeds.program import check_feed_row
from trinity_beast.features.feeds.templates import symbol_of

__all__ = [
    "Board",
    "Decoded",
    "ExchangeNotChosen",
    "FeedCheck",
    "FeedEngine",
    "FeedRowInvalid",
    "FrameDecoder",
    "FrameLineInvalid",
    "RowsInvalid",
    "Trade",
    "check_feed_row",
    "check_feeds",
    "choose_row",
    "decode_lines",
    "decode_recording",
    "read_rows",
    "symbol_of",
]
