"""Sources: where a price comes from when its feed is silent and memory is too old.

The tiers after memory are asked in order: what was fetched here a moment ago, the cache
that nodes share (another node may be fresher), then the venues by REST, each with its
health, a breaker and a pace.  However many requests ask for an asset, one question is
on its way; whoever goes away leaves the others their answer.  A price that is too old
is never taken, and its digits stay those of the venue.  The other way, prices of this
node's board are carried to the cache.

Owns: no tables.
"""

from trinity_beast.features.sources.errors import NoSource, OnlyOlder
from trinity_beast.features.sources.flush import PriceFlush
from trinity_beast.features.sources.model import Found, Wanted
from trinity_beast.features.sources.service import Sources

__all__ = ["Found", "NoSource", "OnlyOlder", "PriceFlush", "Sources", "Wanted"]
