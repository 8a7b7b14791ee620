"""A slice of a key's month, which answers like the month's count.

The month is never over-admitted: each place was debited from the shared count before
use, or was set aside there as this process's share for when the count is away.

Hot path: `MonthLease.reserve`; measured in bench/limits.py, budget 3 microseconds for
a whole check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from trinity_beast.features.limits.slices import Slice
from trinity_beast.kernel.time import NS_PER_S, month_of, month_start_ns, next_month
from trinity_beast.ports.leases import MonthAsk, MonthSlice

SHARE_FOR_NS = 3_000 * NS_PER_S
"""How long a share may be used after it was last agreed on; it is kept longer."""

_MOST_PLACES = 1_000_000
_COLD_PART = 4

Wake = Callable[[], None]
"""Asks for a slice in the background; asking again meanwhile costs nothing."""


class Others(NamedTuple):
    """Who else shares a key while the count is away.

    Attributes:
        live: Processes, this one included.
        are_known: Whether this process ever met the count since its start.
        margin: Places that the others may have used since the database last heard.
    """

    live: int
    are_known: bool
    margin: int


class MonthLease:
    """A slice of a key's month; answers like a ``MonthCount``.

    All instants are of the wall clock, but those of ``ask`` and what follows it.

    Attributes:
        month: The month that is counted, as ``year * 100 + month``.
        starts_at_ns: First instant of the month.
        resets_at_ns: First instant of the month after it.
        slice: What is held.
        share: Places kept for this process for when the count is away.
        unreported: Places of the share that were used and are not debited yet.
        is_dry: The shared month had nothing to give a moment ago.
    """

    __slots__ = (
        "_advised",
        "_back",
        "_base",
        "_floor",
        "_left",
        "_limit",
        "_pending",
        "_reset_to",
        "_share_until_ns",
        "_unbacked",
        "_used",
        "_wake",
        "is_dry",
        "month",
        "resets_at_ns",
        "share",
        "slice",
        "starts_at_ns",
        "unreported",
    )

    def __init__(self, now_ns: int, used: int, limit: int | None, wake: Wake) -> None:
        self._wake = wake
        self._limit = limit
        self._begin(now_ns, used)

    @property
    def limit(self) -> int | None:
        """Most requests of the month; None is no limit."""
        return self._limit

    @limit.setter
    def limit(self, limit: int | None) -> None:
        if limit != self._limit:
            self._limit = limit
            self.is_dry = False
            # A lower limit may be reached already by what is held.
            self._back += self.slice.empty()
            self._wake()

    @property
    def remaining(self) -> int | None:
        """Return how many more requests are admitted, as far as is known here."""
        if self._limit is None:
            return None
        used = self._floor if self._used is None else self._used
        return max(0, self._limit - used - self.unreported + self.slice.held)

    @property
    def is_standing_alone(self) -> bool:
        """Tell whether requests are admitted without the shared count."""
        return self._left is not None

    def reserve(self, now_ns: int) -> bool:
        """Admit one more request, or not."""
        if now_ns >= self.resets_at_ns:
            self._begin(now_ns, 0)
        if self._limit is None:
            self._unbacked += 1
            return True
        mine = self.slice
        if mine.held > 0:
            mine.held -= 1
            mine.spent += 1
            if mine.held <= mine.low and not self.is_dry:
                self._wake()
            return True
        return self._reserve_without()

    def settle(self, month: int, *, counted: bool) -> None:
        """End a request that was admitted; one that does not count gives its place."""
        if month != self.month:
            return
        if self._unbacked:
            self._unbacked -= 1
        elif not counted:
            self.slice.held += 1

    def raise_to(self, used: int) -> None:
        """Learn that at least this many requests were answered."""
        if used > max(self._floor, self._used or 0):
            self._floor = used
            self._wake()

    def set_back_to(self, used: int) -> None:
        """Learn that somebody set the count to this; what is held is part of it."""
        self.slice.empty()
        self._back = 0
        self._reset_to = self._floor = self._base = used
        self._used = None if self._used is None else used
        self.is_dry = False
        self._wake()

    def is_promising(self) -> bool:
        """Tell whether asking may bring places that are not there now."""
        return self._limit is not None and self._left is None and not self.is_dry

    def ask(self, steady_ns: int, *, resting: bool, keep: bool) -> MonthAsk | None:
        """Return what to ask for; None while there is no limit.

        Args:
            steady_ns: Now, by the monotonic clock.
            resting: Nobody uses the key: give everything back that is held.
            keep: Whether a share is wanted.
        """
        if self._limit is None:
            return None
        want, back = 0, 0
        if resting:
            back = self.slice.empty()
        else:
            want, back = self.slice.size(steady_ns, _MOST_PLACES)
        back, self._back = back + self._back, 0
        # Lowered before it is told, so that nobody else gets what is used here.
        self.share = min(self.share, self._advised) if keep else 0
        self._pending = want
        return MonthAsk(
            month=self.month,
            limit=self._limit,
            ends_at_ns=self.resets_at_ns,
            want=want,
            back=back,
            known=self._floor if self._floor > (self._used or self._floor) else None,
            unreported=self.unreported,
            share=self.share,
            reset_to=self._reset_to,
            keep=keep,
        )

    def take_in(self, ask: MonthAsk, given: MonthSlice, steady_ns: int) -> None:
        """Hold what was granted, and learn how the month stands."""
        if ask.month != self.month:
            return
        self.slice.held += given.granted
        self._pending = 0
        self._used = given.used
        self.unreported -= ask.unreported
        # What was used of the share since the ask is not reported yet.
        self.share = given.share - self.unreported
        self._advised = given.advised
        self._share_until_ns = steady_ns + SHARE_FOR_NS
        self._left = None
        self.is_dry = ask.want > 0 and not given.granted and self.share <= 0
        if self._reset_to == ask.reset_to:
            self._reset_to = None

    def stand_alone(self, others: Others, row_used: int | None, steady_ns: int) -> None:
        """Go on without the shared count: with the share, and with what is surely left.

        A process that is alone has all that is left.  Among others it has the share
        that was agreed on; of a key without one it takes a quarter of its part of what
        the database says is left, after setting aside what the others may have used
        meanwhile.  Without the database, or if it never met the count, it has nothing.

        Args:
            others: Who else shares the key.
            row_used: What the database says is used by now; None when it is away.
            steady_ns: Now, by the monotonic clock.
        """
        if self._left is not None:
            return
        agreed = self.is_agreed(steady_ns)
        if not agreed:
            self.share = 0
        if not self.unreported:
            self._base = self.known_use(row_used)
        left = max(0, (self._limit or 0) - self.known_use(row_used) - self._pending)
        self._left = 0
        if others.live <= 1:
            self.share, self._left = 0, left
        elif not agreed and others.are_known and row_used is not None:
            self._left = max(0, left - others.margin) // (_COLD_PART * others.live)

    def is_agreed(self, steady_ns: int) -> bool:
        """Tell whether this process's share of the month still holds."""
        return self._used is not None and steady_ns < self._share_until_ns

    def known_use(self, row_used: int | None) -> int:
        """Return how many places are used, as far as anybody asked here knows.

        Args:
            row_used: What the database says; None when it is away.
        """
        here = max(self._base, self._used or 0) + self.unreported
        return max(here, self._floor, row_used or 0)

    def release(self) -> None:
        """Give the share up with the next ask: somebody goes short."""
        self._advised = 0

    def _reserve_without(self) -> bool:
        if self._left is None:
            self.slice.missed += 1
            if not self.is_dry:
                self._wake()
            return False
        if self.share > 0:
            self.share -= 1
        elif self._left > 0:
            self._left -= 1
        else:
            return False
        self.unreported += 1
        return True

    def _begin(self, now_ns: int, used: int) -> None:
        self.month = month_of(now_ns)
        self.starts_at_ns = month_start_ns(self.month)
        self.resets_at_ns = month_start_ns(next_month(self.month))
        self.slice = Slice()
        self.share = self.unreported = self._advised = self._unbacked = 0
        self._pending = self._base = self._back = 0
        self._share_until_ns = 0
        self._left: int | None = None
        self._used: int | None = None
        self._floor = used
        self._reset_to: int | None = None
        self.is_dry = False
