"""Keys that are being looked up, and the datagrams that wait for them.

The batch goes on meanwhile: a datagram waits aside, all datagrams of one key wait for
one lookup, and strangers who make up keys are held to a budget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from trinity_beast.features.keys import KeySlot
from trinity_beast.features.limits import TokenBucket
from trinity_beast.features.prices.udp_budget import AddressBudget
from trinity_beast.kernel.errors import BeastError, Unavailable
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.udp import Sender

_log = structlog.get_logger("udp")

Found = tuple[KeySlot, ...] | BeastError
"""The slots that were looked for, or why there are none."""

Waiter = Callable[[Found], None]


@dataclass(frozen=True, slots=True)
class LookupBounds:
    """How much looking up may be going on.

    Attributes:
        per_second: Lookups a second, all senders together.
        per_second_of_sender: The same of one address.
        at_once: Lookups at the same time.
        waiting: Datagrams that wait for any of them.
        finish_s: How long stopping waits for the last ones.
    """

    per_second: int = 500
    per_second_of_sender: int = 20
    at_once: int = 64
    waiting: int = 2_048
    finish_s: float = 2.0


class KeyLookups:
    """Looks keys up while datagrams wait.

    Args:
        clock: Monotonic time for the budgets.
        bounds: Of memory and of queries.
    """

    def __init__(self, clock: Clock, bounds: LookupBounds | None = None) -> None:
        self._clock = clock
        self._bounds = bounds or LookupBounds()
        per_second = self._bounds.per_second
        self._all = TokenBucket(per_second, per_second, clock.monotonic_ns())
        self._each = AddressBudget(self._bounds.per_second_of_sender)
        self._waiting: dict[str, list[Waiter]] = {}
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Return how many datagrams wait."""
        return self._count

    def wait(
        self,
        key: str,
        find: Callable[[], Awaitable[tuple[KeySlot, ...]]],
        waiter: Waiter,
        sender: Sender,
    ) -> None:
        """Call ``waiter`` once the key is found, or is not.

        Args:
            key: What tells one lookup from another.
            find: Looks it up; called only if nobody looks for it yet.
            waiter: Gets the outcome.
            sender: Whose budget a new lookup takes from.

        Raises:
            Unavailable: Too much is being looked up; the waiter is not called.
        """
        waiters = self._waiting.get(key)
        if self._count >= self._bounds.waiting:
            raise Unavailable
        if waiters is None:
            self._check_budget(sender)
            waiters = self._waiting[key] = []
            task = asyncio.create_task(self._look_up(key, find))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        waiters.append(waiter)
        self._count += 1

    async def finish(self) -> None:
        """Wait until nothing is looked up any more, for a while; then give up."""
        if self._tasks:
            tasks = list(self._tasks)
            _, late = await asyncio.wait(tasks, timeout=self._bounds.finish_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _check_budget(self, sender: Sender) -> None:
        now_ns = self._clock.monotonic_ns()
        if len(self._waiting) >= self._bounds.at_once:
            raise Unavailable
        if not self._each.take(sender, now_ns) or self._all.take(now_ns):
            raise Unavailable

    async def _look_up(
        self,
        key: str,
        find: Callable[[], Awaitable[tuple[KeySlot, ...]]],
    ) -> None:
        found: Found = Unavailable()
        try:
            found = await find()
        except BeastError as error:
            found = error
        except Exception:  # noqa: BLE001 - those who wait must be told something
            _log.exception("key lookup failed")
        finally:
            waiters = self._waiting.pop(key)
            self._count -= len(waiters)
            for waiter in waiters:
                self._tell(waiter, found)

    def _tell(self, waiter: Waiter, found: Found) -> None:
        try:
            waiter(found)
        except Exception:  # noqa: BLE001 - the others still wait
            _log.exception("datagram dropped")
