"""How each exchange talks: what a client says in, answers and frames out; no sockets.

A dialect is written from recorded frames and the exchange's documents; it refuses what
the exchange refuses, in the exchange's words, and as much of a request at once.
"""

from __future__ import annotations

from trinity_beast.adapters.market.dialects.bybit import BybitDialect
from trinity_beast.adapters.market.dialects.coinbase import CoinbaseDialect
from trinity_beast.adapters.market.dialects.conversation import Conversation, Listing
from trinity_beast.adapters.market.dialects.dialect import Closing, Dialect
from trinity_beast.adapters.market.dialects.gateio import GateioDialect
from trinity_beast.adapters.market.dialects.gemini import GeminiDialect
from trinity_beast.adapters.market.dialects.kraken import KrakenDialect
from trinity_beast.adapters.market.dialects.okx import OkxDialect
from trinity_beast.adapters.market.dialects.plain import PlainDialect

__all__ = [
    "DIALECTS",
    "Closing",
    "Conversation",
    "Dialect",
    "Listing",
    "PlainDialect",
]

DIALECTS: dict[str, type[Dialect]] = {
    "coinbase": CoinbaseDialect,
    "gemini": GeminiDialect,
    "kraken": KrakenDialect,
    "gateio": GateioDialect,
    "bybit": BybitDialect,
    "okx": OkxDialect,
}
"""Dialects by the exchange's name in the catalogue."""
