"""Valkey as the rented world: clients by GLIDE, and the usage queue on Streams.

A client can be made while Valkey is away; it connects with its first command and again,
without end, after each loss.
"""

from trinity_beast.adapters.valkey.connection import ValkeyUrl, open_valkey
from trinity_beast.adapters.valkey.usage_queue import ValkeyUsageQueue

__all__ = ["ValkeyUrl", "ValkeyUsageQueue", "open_valkey"]
