"""How much strangers may cost us: answers that tell them no, and lookups of keys.

Addresses of datagrams are easily forged, so what is kept of them is bounded, and when
it is full a stranger gets nothing rather than somebody else's place.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.toolkit.udp import Sender

_NETWORK_BYTES = 8


class AddressBudget:
    """Grants each address so many things in any second.

    Addresses of one IPv6 network of 64 bits count as one: its owner has all of them.

    Args:
        per_second: Things granted to an address in any one second.
        most_addresses: Addresses that are remembered.
    """

    def __init__(self, per_second: int, most_addresses: int = 10_000) -> None:
        self._per_second = per_second
        self._most = most_addresses
        self._granted: OrderedDict[Sender, deque[int]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._granted)

    def take(self, sender: Sender, now_ns: int) -> bool:
        """Grant one more thing to an address, or not.

        Args:
            sender: The address.
            now_ns: By a clock that never goes back.
        """
        address = sender if isinstance(sender, int) else sender[:_NETWORK_BYTES]
        granted = self._granted.get(address)
        if granted is None:
            if len(self._granted) >= self._most and not self._forget_one(now_ns):
                return False
            granted = self._granted[address] = deque(maxlen=self._per_second)
        elif len(granted) == self._per_second and now_ns - granted[0] < NS_PER_S:
            return False
        granted.append(now_ns)
        self._granted.move_to_end(address)
        return True

    def _forget_one(self, now_ns: int) -> bool:
        """Forget the address that was granted nothing for longest, if that is long."""
        address, granted = next(iter(self._granted.items()))
        if now_ns - granted[-1] < NS_PER_S:
            return False
        del self._granted[address]
        return True
