"""Changes: rows that somebody changed in PostgreSQL, by us or by psql."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Change:
    """One row of one watched table was inserted, updated or deleted.

    Attributes:
        table: Name of the table; ``EVERYTHING`` means "notices may have been missed,
            read all again" (sent after each reconnect).
        operation: ``INSERT``, ``UPDATE``, ``DELETE``, or empty with ``EVERYTHING``.
        row_id: The row's primary key as text, or empty.
        key_hash: For ``api_keys``: the hash of the key, or empty.
        usage_lowered: For ``api_keys``: the row's ``current_usage`` went down.
    """

    table: str
    operation: str = ""
    row_id: str = ""
    key_hash: str = ""
    usage_lowered: bool = False


class Changes(Protocol):
    """Delivers changes to this process."""

    def listen(self) -> AsyncIterator[Change]:
        """Yield changes for ever, reconnecting by itself.

        The first item, and the first after each reconnect, is ``EVERYTHING``.
        """
        ...
