"""What can go wrong with usage records on their way to the table.

::

    Invalid
    ├── BatchUnreadable    these bytes are no batch of ours
    └── RowsRefused        the database will never take these rows
    Unavailable
    └── SpoolFull          the disk takes no more batches for now
"""

from __future__ import annotations

from trinity_beast.kernel.errors import Invalid, Unavailable


class BatchUnreadable(Invalid):
    """The bytes are not a batch, or one of a format that is newer than this code."""

    code = "batch_unreadable"
    template = "The usage batch cannot be read: {reason}."


class RowsRefused(Invalid):
    """The database refuses the rows for what they are; trying again is no use."""

    code = "rows_refused"
    template = "The database refuses the rows: {reason}."


class SpoolFull(Unavailable):
    """The spool has reached its limit, or the disk did not take the bytes."""

    code = "spool_full"
    template = "The usage spool takes no more: {reason}."
