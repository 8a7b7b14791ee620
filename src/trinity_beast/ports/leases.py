"""Leases: slices of a key's bucket and of its month, debited before they are used.

Processes that serve the same key share one bucket and one count of the month.  Each of
them takes a slice at a time and grants requests out of it, so no request waits for the
network, and what was not debited here is granted nowhere.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from trinity_beast.kernel.errors import Unavailable


class LeasesUnreachable(Unavailable):
    """The shared count is away; what was asked may or may not have been debited."""

    code = "leases_unreachable"
    template = "The shared limits cannot be reached."


class BucketAsk(NamedTuple):
    """What a process wants of a key's bucket.

    Attributes:
        qps: Tokens that flow in each second.
        burst: Depth in tokens.
        want: Tokens to take, as many of them as there are.
        back: Tokens of an earlier slice that were not used.
    """

    qps: int
    burst: int
    want: int
    back: int = 0


class MonthAsk(NamedTuple):
    """What a process wants of a key's month.

    Attributes:
        month: Which one, as ``year * 100 + month``.
        limit: Most requests of the month.
        ends_at_ns: When it ends; the count is kept a week longer.
        want: Places to take, as many of them as there are.
        back: Places of an earlier slice that were not used.
        known: At least so many places are used, whatever the count says; None lets a
            count that is not there stay missing.
        unreported: Places that were used out of the share, to be debited now.
        share: What the process counts on of the places that are kept for it; it never
            counts on more before the answer is there.
        reset_to: Somebody set the month's use back to this; None is nobody.
        keep: Whether a share may be kept for this process at all.
    """

    month: int
    limit: int
    ends_at_ns: int
    want: int
    back: int = 0
    known: int | None = None
    unreported: int = 0
    share: int = 0
    reset_to: int | None = None
    keep: bool = True


class Ask(NamedTuple):
    """One exchange about one key.

    Attributes:
        key_id: The key.
        live: How many processes share it, as far as the asking one knows.
        bucket: Its bucket; None when it has none.
        month: Its month; None when it has no limit.
    """

    key_id: str
    live: int
    bucket: BucketAsk | None
    month: MonthAsk | None


class BucketSlice(NamedTuple):
    """What was debited from a bucket.

    Attributes:
        granted: Tokens, at most as many as wanted.
        level: What is left in the bucket, in nanotokens.
    """

    granted: int
    level: int


class MonthSlice(NamedTuple):
    """What was debited from a month.

    Attributes:
        granted: Places, at most as many as wanted.
        used: Places of the month that are debited in all, these included.
        share: Places that are kept for this process, for when it cannot reach the
            count; never less than what it asked for.
        advised: What it should ask for next time, when that is less.
    """

    granted: int
    used: int
    share: int
    advised: int


class Given(NamedTuple):
    """The answer to an ``Ask``.

    Attributes:
        missing: There is no count of the month, and the ask did not say what is known:
            nothing was debited, nothing given back.
        bucket: What was debited from the bucket.
        month: What was debited from the month.
    """

    missing: bool
    bucket: BucketSlice | None
    month: MonthSlice | None


class Beat(NamedTuple):
    """What a process learns from its heartbeat.

    Attributes:
        live: Processes that were heard of lately, this one included.
        short: Keys of whose month somebody went short lately while others kept shares.
    """

    live: int
    short: tuple[str, ...]


class Leases(Protocol):
    """The shared buckets and months, as one process sees them."""

    async def exchange(self, ask: Ask) -> Given:
        """Give back, report and take, all at once.

        Raises:
            LeasesUnreachable: Nothing is known of what became of it.
        """
        ...

    async def let_go(self, key_id: str, month: int) -> None:
        """Give up the share of a key's month that is kept for this process.

        Raises:
            LeasesUnreachable: The count is away.
        """
        ...

    async def beat(self) -> Beat:
        """Tell that this process lives, and learn of the others.

        Raises:
            LeasesUnreachable: The count is away.
        """
        ...

    async def leave(self) -> None:
        """Tell that this process ends.

        Raises:
            LeasesUnreachable: The count is away.
        """
        ...
