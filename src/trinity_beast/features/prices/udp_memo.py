"""What was asked before: the exact bytes of a datagram, and what they mean.

Hot path: measured in bench/udp.py with the whole listener.
"""

from __future__ import annotations

from collections import OrderedDict

from trinity_beast.features.keys import KeySlot
from trinity_beast.features.limits import KeyLimits
from trinity_beast.features.prices.udp_prepared import Moment, Prepared

_BATCH_BYTES = 1_600
_ONE_BYTES = 700


class Known:
    """A datagram that was answered before.

    It holds only as long as nothing about its key changes: one that changed, or is
    revoked, goes the long way once more.

    Attributes:
        slot: The key's.
        limits: What the limiter keeps of the key.
        renewals: ``KeySlot.renewals`` when this was noted.
        moment: When it was last found to hold.
        prepared: The answer.
        key_id: The key's id as text.
        user_id: Its owner's.
        query_type: What the usage record calls the question.
    """

    __slots__ = (
        "key_id",
        "limits",
        "moment",
        "prepared",
        "query_type",
        "renewals",
        "slot",
        "user_id",
    )

    def __init__(
        self,
        slot: KeySlot,
        limits: KeyLimits,
        prepared: Prepared,
        moment: Moment,
    ) -> None:
        key = slot.key
        self.moment = moment
        self.slot = slot
        self.limits = limits
        self.renewals = slot.renewals
        self.prepared = prepared
        self.key_id = str(key.id)
        self.user_id = None if key.user_id is None else str(key.user_id)
        self.query_type = prepared.query_type

    def holds(self, moment: Moment) -> bool:
        """Bring the answer up to date; tell whether it may be given by limits alone."""
        slot, limits = self.slot, self.limits
        terms = limits.terms
        if (
            slot.renewals != self.renewals
            or slot.state is not limits
            or slot.terms is not terms
            or not terms.from_ns <= moment.now_ns < terms.until_ns
        ):
            return False
        self.prepared.bring_up_to_date(moment)
        if self.prepared.error is not None:
            return False
        self.moment = moment
        return True


class Memo:
    """Remembers datagrams, the oldest going first when there is no room.

    Args:
        most_bytes: About how much memory they may take.
    """

    def __init__(self, most_bytes: int = 24 << 20) -> None:
        self._room = most_bytes
        self._known: OrderedDict[bytes, Known] = OrderedDict()
        self.get = self._known.get

    def __len__(self) -> int:
        """Return how many datagrams are remembered."""
        return len(self._known)

    def note(self, datagram: bytes, known: Known) -> None:
        """Remember a datagram."""
        before = self._known.pop(datagram, None)
        if before is not None:
            self._room += _cost(datagram, before)
        self._known[datagram] = known
        self._room -= _cost(datagram, known)
        while self._room < 0:
            oldest, gone = self._known.popitem(last=False)
            self._room += _cost(oldest, gone)


def _cost(datagram: bytes, known: Known) -> int:
    parts = _BATCH_BYTES if known.prepared.is_batch else 0
    return len(datagram) + _ONE_BYTES + parts
