"""Usage records: every answered or refused request of a key makes one row.

A listener adds a record to the buffer; the shipper packs records into batches and hands
them to the queue, or to the spool on disk while the queue is away; the writer puts
each batch into ``usage_logs`` once, however often it is delivered, and brings the
counters of ``api_keys``, the ledger and the hourly sums up to date in the same
transaction.  Nothing on the way makes a request wait.  What is dropped, because neither
queue nor disk took anything for so long that the buffer filled, is counted.

Owns: usage_logs, beast.usage_batches, beast.usage_ledger, beast.usage_hourly,
beast.dead_letters.   Source: data dictionary 4.4.
"""

from trinity_beast.features.usage.batch import Batch, BatchCodec
from trinity_beast.features.usage.buffer import UsageBuffer
from trinity_beast.features.usage.errors import BatchUnreadable, RowsRefused, SpoolFull
from trinity_beast.features.usage.record import (
    ERROR,
    RATE_LIMITED,
    SUCCESS,
    UsageIds,
    UsageRecord,
)
from trinity_beast.features.usage.service import Stored, UsageService
from trinity_beast.features.usage.shipper import ShipperState, Shipping, UsageShipper
from trinity_beast.features.usage.spool import Spool
from trinity_beast.features.usage.writer import UsageWriter, WriterState

__all__ = [
    "ERROR",
    "RATE_LIMITED",
    "SUCCESS",
    "Batch",
    "BatchCodec",
    "BatchUnreadable",
    "RowsRefused",
    "ShipperState",
    "Shipping",
    "Spool",
    "SpoolFull",
    "Stored",
    "UsageBuffer",
    "UsageIds",
    "UsageRecord",
    "UsageService",
    "UsageShipper",
    "UsageWriter",
    "WriterState",
]
