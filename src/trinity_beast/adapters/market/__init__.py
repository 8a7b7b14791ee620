"""A market on this machine: simulated, or played back from recorded frames.

Both open one loopback WebSocket server an exchange, in the exchange's own dialect, so
that the feed engine runs against them unchanged: acknowledgements, heartbeats,
snapshots, pings, refused symbols, stalls and broken lines included.  Beside the
simulated ones stand three REST venues with the same prices.
"""

from __future__ import annotations

from trinity_beast.adapters.market.errors import (
    NoticeUnknown,
    RecordingsMissing,
    RecordingUnreadable,
    VenueUnknown,
)
from trinity_beast.adapters.market.player import Progress
from trinity_beast.adapters.market.recording import FeedLike, SymbolsIn, replay_assets
from trinity_beast.adapters.market.replay import ReplayMarket
from trinity_beast.adapters.market.rest import RestFault, RestVenues
from trinity_beast.adapters.market.simulator import MarketSimulator

__all__ = [
    "FeedLike",
    "MarketSimulator",
    "NoticeUnknown",
    "Progress",
    "RecordingUnreadable",
    "RecordingsMissing",
    "ReplayMarket",
    "RestFault",
    "RestVenues",
    "SymbolsIn",
    "VenueUnknown",
    "replay_assets",
]
