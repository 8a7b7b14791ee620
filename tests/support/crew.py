"""Processes that share one key by leases, with a clock that tests move."""

from __future__ import annotations

from dataclasses import replace

from support.clocks import FixedClock
from support.keys import a_key
from support.leases import HeldLeases, SharedCount
from trinity_beast.features.keys import (
    FREE_TEMPLATE,
    ApiKey,
    KeySlot,
    Terms,
    terms_of,
)
from trinity_beast.features.limits import Decision, LeasedGrants, Limiter
from trinity_beast.kernel.time import month_of
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.work import DatabaseAway


class Books:
    """The rows of the database, as far as the writer got."""

    def __init__(self, clock: FixedClock, **changes: object) -> None:
        self.clock = clock
        self.key = a_key(**changes)
        self.is_away = False
        self.reads = 0
        self.living = 1

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        self.reads += 1
        if self.is_away:
            raise DatabaseAway(reason="ConnectionRefusedError")
        return self.key if key_hash == self.key.key_hash else None

    async def count_living(self) -> int:
        if self.is_away:
            raise DatabaseAway(reason="ConnectionRefusedError")
        return self.living

    def write(self, used: int) -> None:
        """Let the writer catch up."""
        now_ns = self.clock.now_ns()
        self.key = replace(self.key, current_usage=used, last_used_ns=now_ns)


class Seat:
    """A place in a home that outlives its process."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self.owes = False

    def owe(self) -> None:
        self.owes = True

    def settle(self) -> None:
        self.owes = False


class Process:
    """One price server, as far as limits go."""

    def __init__(self, count: SharedCount, books: Books, seat: Seat) -> None:
        self.clock: Clock = count.clock
        self.seat = seat
        self.wire: HeldLeases = count.of(seat.holder)
        self.grants = LeasedGrants(
            self.wire,
            self.clock,
            books,
            seat,
            books.count_living,
        )
        self.limiter = Limiter(self.clock, self.grants)
        self.slot = KeySlot(books.key.key_hash, books.key)
        self._terms: Terms | None = None

    @property
    def terms(self) -> Terms:
        terms = self.slot.terms
        if terms is None:
            now_ns = self.clock.now_ns()
            terms = terms_of(self.slot.key, FREE_TEMPLATE, now_ns, 7)
            self.slot.terms = terms
        return terms

    async def ask(self) -> Decision:
        """Ask the ordinary way, which may wait for a lease."""
        return await self.limiter.admit(self.slot, self.terms, self.clock.now_ns())

    async def get(self, *, success: bool = True) -> str:
        """Ask and be answered; return what became of it."""
        decision = await self.ask()
        self.limiter.answered(decision, success=success)
        return decision.code or "granted"

    def check(self) -> Decision:
        """Ask the short way, which never waits."""
        return self.limiter.check(self.slot, self.terms, self.clock.now_ns())

    async def beat(self) -> None:
        await self.grants.beat()

    def held(self) -> tuple[int, int]:
        """Return the tokens and places in stock."""
        lease = self.grants.held_of(self.slot.key)
        if lease is None:
            return 0, 0
        tokens = lease.tokens.slice.held if lease.tokens else 0
        return tokens, lease.month.slice.held if lease.month else 0


class Crew:
    """Some processes of one home, on one count."""

    def __init__(self, clock: FixedClock, size: int, **key: object) -> None:
        self.clock = clock
        self.count = SharedCount(clock)
        self.books = Books(clock, **key)
        self.books.living = size
        self.names = 0
        self.processes = [self.new_process() for _ in range(size)]

    def new_process(self, seat: Seat | None = None) -> Process:
        """Start a process; in the seat of a dead one as `HomeSeat` has it."""
        if seat is None or seat.owes:
            self.names += 1
            seat = Seat(f"p{self.names}")
        return Process(self.count, self.books, seat)

    async def start(self) -> None:
        for process in self.processes:
            await process.grants.start()
        for process in self.processes:
            await process.beat()

    async def replace(self, number: int) -> None:
        """Kill a process and start another in its seat."""
        old = self.processes[number]
        self.processes[number] = self.new_process(old.seat)
        self.processes[number].wire.is_cut = old.wire.is_cut
        await self.processes[number].grants.start()

    def used(self) -> int | None:
        """Return what the shared count says."""
        month = month_of(self.clock.now_ns())
        counted = self.count.months.get((str(self.books.key.id), month))
        return None if counted is None else counted.used
