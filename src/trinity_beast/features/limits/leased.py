"""Grants of one process among several: slices of what all of them share.

Each key in use has a lease.  Leases are filled up in the background before they are
empty; the first request of an idle key waits for one exchange, some 50 ms at the most.
What is not used for a second goes back, unless this process is alone.

While the count is away each process goes on with its share, which was set aside for
it before; see ``MonthLease.stand_alone``.  What it used is reported when the count is
back.  A process that is killed loses what it held: some 100 ms of requests.  When the
count lost its data it begins again with what the database or this process knows,
whichever is more: then the month may be over-admitted by what others used since this
process last heard of the count and the writer has not written yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from itertools import islice
from typing import Literal, Protocol
from uuid import UUID

import structlog

from trinity_beast.features.keys import ApiKey, used_this_month
from trinity_beast.features.limits.grants import Month, Tokens
from trinity_beast.features.limits.key_lease import KeyLease
from trinity_beast.features.limits.model import Refusal
from trinity_beast.features.limits.month_lease import MonthLease
from trinity_beast.features.limits.token_lease import TokenLease
from trinity_beast.kernel.errors import Unavailable
from trinity_beast.kernel.time import NS_PER_S, month_of
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.leases import Beat, Leases, LeasesUnreachable
from trinity_beast.toolkit.tolerating import tolerating

_log = structlog.get_logger("limits")

BEAT_S = 1.0
"""How often a process tells that it lives, and gives back what it does not use."""

_FORGET_NS = 3_600 * NS_PER_S
_AT_ONCE = 200
_ROW_WITHIN_S = 0.5
_CLOSE_WITHIN_S = 2.0

Mode = Literal["leased", "share", "local"]


class Rows(Protocol):
    """Where a key's row is read, and where the other processes are listed."""

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        """Return the key with this hash, as the database has it now."""
        ...


class Seat(Protocol):
    """This process's place among those of its home; see ``HomeSeat``."""

    @property
    def holder(self) -> str:
        """Name of this process among those that share keys."""
        ...

    def owe(self) -> None:
        """Note that places were used that the count does not know of."""
        ...

    def settle(self) -> None:
        """Note that the count knows of all places."""
        ...


class LeasedGrants:
    """``Grants`` by leases; `run` must run in the background.

    Args:
        leases: The shared count.
        clock: The time.
        rows: For what the database says of a key that the count does not know.
        seat: For places that were used and not reported when the process dies.
        count_living: How many processes serve prices, as the database has it; asked
            while the count was never met.
    """

    def __init__(
        self,
        leases: Leases,
        clock: Clock,
        rows: Rows,
        seat: Seat,
        count_living: Callable[[], Awaitable[int]],
    ) -> None:
        self._leases = leases
        self._clock = clock
        self._rows = rows
        self._seat = seat
        self._count_living = count_living
        self._open: dict[UUID, KeyLease] = {}
        self._active: dict[KeyLease, None] = {}
        self._live = 1
        self._company_until_ns = 0
        self._met = False
        self._away = False
        self._owing: dict[KeyLease, None] = {}
        self._closing = False

    def tokens(self, key: ApiKey, qps: int, burst: int, now_ns: int) -> Tokens:
        """Return this process's slice of the key's bucket; empty at first."""
        lease = self._lease_of(key)
        if lease.tokens is None:
            lease.tokens = TokenLease(qps, burst, partial(self._wake, lease))
        else:
            lease.tokens.reconfigure(qps, burst, now_ns)
        return lease.tokens

    def month(self, key: ApiKey, limit: int | None, now_ns: int) -> Month:
        """Return this process's slice of the key's month; empty at first."""
        lease = self._lease_of(key)
        used = used_this_month(key, now_ns)
        if lease.month is None:
            lease.month = MonthLease(now_ns, used, limit, partial(self._wake, lease))
        else:
            lease.month.limit = limit
            lease.month.raise_to(used)
        return lease.month

    async def refill(self, key: ApiKey, refusal: Refusal, until_ns: int) -> bool:
        """Wait for what a refused request lacked; False when it is surely not there.

        Args:
            key: Whose.
            refusal: Why the request was refused.
            until_ns: How long to wait, by the monotonic clock; then the share is used.
        """
        lease, now_ns = self._open.get(key.id), self._clock.monotonic_ns()
        if lease is None or not lease.is_promising(refusal, now_ns):
            return False
        self._wake(lease)
        if lease.exchange is not None and now_ns < until_ns:
            wait_s = (until_ns - now_ns) / NS_PER_S
            done, _ = await asyncio.wait({lease.exchange}, timeout=wait_s)
            if done:
                return True
        self._stand_alone_now(lease, None)
        return True

    async def start(self) -> None:
        """Meet the count, if it is there."""
        await self.beat()

    async def run(self) -> None:
        """Tell that this process lives, and return what is not used, for ever."""
        while True:
            await self._clock.sleep(BEAT_S)
            if not self._closing:
                await self.beat()

    async def close(self) -> None:
        """Report what was used, give everything back, and leave.

        Nothing may be granted any more.
        """
        self._closing = True
        lost = (TimeoutError, LeasesUnreachable)
        with tolerating(*lost, because="what is not given back is lost"):
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._rest(self._open.values())
                if not self._away:
                    await self._leases.leave()
        self._settle_if_even()

    def state(self) -> dict[str, object]:
        """Return how limits are kept, for people.

        ``leased`` is the rule.  While the count is away: ``share`` among several
        processes, ``local`` in a lone one.
        """
        mode: Mode = "leased"
        if self._away:
            mode = "local" if self._live <= 1 else "share"
        return {
            "mode": mode,
            "processes": self._live,
            "holder": self._seat.holder,
            "keys": len(self._open),
        }

    def held_of(self, key: ApiKey) -> KeyLease | None:
        """Return what this process holds of a key, if it is in use here."""
        return self._open.get(key.id)

    def _lease_of(self, key: ApiKey) -> KeyLease:
        lease = self._open.get(key.id)
        if lease is None:
            lease = self._open[key.id] = KeyLease(key)
            lease.used_at_ns = self._clock.monotonic_ns()
        return lease

    def _wake(self, lease: KeyLease) -> None:
        if lease.exchange is None and not (self._away and lease.is_standing_alone):
            self._open[lease.key.id] = lease
            self._active[lease] = None
            self._begin(lease)

    def _begin(self, lease: KeyLease, *, resting: bool = False) -> asyncio.Task[None]:
        """Start an exchange; there is one at a time for a key."""
        exchange = self._exchange(lease, resting=resting)
        lease.exchange = asyncio.create_task(exchange)
        return lease.exchange

    async def _exchange(self, lease: KeyLease, *, resting: bool) -> None:
        try:
            if not self._away:
                await self._trade(lease, resting=resting)
        except LeasesUnreachable as error:
            self._lose(error)
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            _log.exception("an exchange failed", key_id=str(lease.key.id))
            self._lose(LeasesUnreachable(reason=repr(error)))
        finally:
            if self._away and not resting:
                await self._stand_alone(lease)
            lease.exchange = None

    async def _trade(self, lease: KeyLease, *, resting: bool) -> None:
        # Alone there is nobody to keep a share from, and a successor would miss it.
        keep = self._live > 1 and not self._closing
        now_ns = self._clock.monotonic_ns()
        ask = lease.ask(self._live, now_ns, resting=resting, keep=keep)
        if ask is None:
            return
        given = await self._leases.exchange(ask)
        if given.missing and ask.month is not None and lease.month is not None:
            known = lease.month.known_use(await self._row_used(lease))
            known = max(0, known - ask.month.unreported)
            again = ask._replace(month=ask.month._replace(known=known))
            given = await self._leases.exchange(again)
        lease.take_in(ask, given, self._clock.monotonic_ns())

    async def _rest(self, leases: Iterable[KeyLease]) -> None:
        """Give back what is held of keys, and report what was used of their shares."""
        waiting = list(leases)
        while waiting and not self._away:
            batch, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            running = [it.exchange for it in batch if it.exchange is not None]
            await asyncio.gather(*running)
            # Who began another one meanwhile is not at rest.
            free = [it for it in batch if it.exchange is None]
            await asyncio.gather(*(self._begin(it, resting=True) for it in free))

    async def _stand_alone(self, lease: KeyLease) -> None:
        month, row_used = lease.month, None
        if lease.is_standing_alone:
            return
        if month is not None and not month.is_agreed(self._clock.monotonic_ns()):
            row_used = await self._row_used(lease)
        self._stand_alone_now(lease, row_used)

    def _stand_alone_now(self, lease: KeyLease, row_used: int | None) -> None:
        if not self._owing:
            # Before the first place is used: a successor must know of it.
            self._seat.owe()
        self._owing[lease] = None
        now_ns = self._clock.monotonic_ns()
        lease.stand_alone(self._live, row_used, now_ns, are_known=self._met)

    async def _row_used(self, lease: KeyLease) -> int | None:
        try:
            async with asyncio.timeout(_ROW_WITHIN_S):
                key = await self._rows.find_by_hash(lease.key.key_hash)
        except (Unavailable, TimeoutError):
            return None
        return used_this_month(key, self._clock.now_ns()) if key else None

    async def beat(self) -> None:
        """Tell that this process lives, and return what is not used."""
        try:
            beat = await self._leases.beat()
        except LeasesUnreachable as error:
            self._lose(error)
            if not self._met:
                with tolerating(Unavailable, because="then nobody is known of"):
                    self._see(await self._count_living())
            return
        joined = self._live <= 1 < beat.live
        self._see(beat.live)
        self._met = True
        if self._away:
            self._away = False
            _log.info("the shared limits are back")
        try:
            await self._look_after(beat, joined=joined)
        except LeasesUnreachable as error:
            self._lose(error)

    def _see(self, live: int) -> None:
        """Note how many processes there are; others count on, though unheard of.

        One that is cut off may use the share that is kept for it.
        """
        now_ns = self._clock.monotonic_ns()
        if live > 1:
            self._company_until_ns = now_ns + _FORGET_NS
        self._live = max(live, 2 if now_ns < self._company_until_ns else 1)

    async def _look_after(self, beat: Beat, *, joined: bool) -> None:
        now_ns = self._clock.monotonic_ns()
        resting = self._resting(now_ns)
        if self._live <= 1:
            # What is held needs no round trip when the key is used again.
            resting = []
        elif joined:
            resting = [it for it in self._open.values() if it not in self._active]
        resting += self._forget(now_ns)
        await self._rest(dict.fromkeys([*self._owing, *resting]))
        self._settle_if_even()
        for key_id in beat.short:
            await self._let_go(UUID(key_id))

    def _resting(self, now_ns: int) -> list[KeyLease]:
        """Return the keys that nobody used since the last beat."""
        resting: list[KeyLease] = []
        for lease in list(self._active):
            activity = lease.activity()
            if lease.month is not None:
                # Others may have given something back.
                lease.month.is_dry = False
            if activity == lease.seen and lease.exchange is None:
                del self._active[lease]
                resting.append(lease)
            else:
                lease.used_at_ns = now_ns
            lease.seen = activity
        return resting

    def _forget(self, now_ns: int) -> list[KeyLease]:
        """Forget keys that nobody used for an hour, and return them.

        Some are looked at with each beat, and go behind the others.
        """
        forgotten: list[KeyLease] = []
        for key_id, lease in list(islice(self._open.items(), _AT_ONCE)):
            if lease in self._active or lease in self._owing:
                continue
            del self._open[key_id]
            if now_ns - lease.used_at_ns < _FORGET_NS:
                self._open[key_id] = lease
            else:
                forgotten.append(lease)
        return forgotten

    async def _let_go(self, key_id: UUID) -> None:
        """Give up a share: somebody went short of that key."""
        lease = self._open.get(key_id)
        if lease is None or lease.month is None:
            month = month_of(self._clock.now_ns())
            await self._leases.let_go(str(key_id), month)
            return
        lease.month.release()
        if lease.month.share > 0 and lease not in self._active:
            await self._rest([lease])

    def _settle_if_even(self) -> None:
        """Note that the count knows all, once it does."""
        for lease in list(self._owing):
            month = lease.month
            if not lease.is_standing_alone and not (month and month.unreported):
                del self._owing[lease]
                if not self._owing:
                    self._seat.settle()

    def _lose(self, error: LeasesUnreachable) -> None:
        if not self._away:
            self._away = True
            reason = error.context.get("reason")
            _log.warning("the shared limits are away", reason=str(reason))
