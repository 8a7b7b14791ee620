"""Valkey as the rented world: clients by GLIDE, usage queue, price cache, leases.

A client can be made while Valkey is away; it connects with its first command and again,
without end, after each loss.
"""

from trinity_beast.adapters.valkey.connection import ValkeyUrl, open_valkey
from trinity_beast.adapters.valkey.leases import ValkeyLeases
from trinity_beast.adapters.valkey.price_cache import ValkeyPriceCache
from trinity_beast.adapters.valkey.usage_queue import ValkeyUsageQueue

__all__ = [
    "ValkeyLeases",
    "ValkeyPriceCache",
    "ValkeyUrl",
    "ValkeyUsageQueue",
    "open_valkey",
]
