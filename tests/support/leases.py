"""The shared count as a pure model: what the script in Valkey does, by hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from support.clocks import FixedClock
from trinity_beast.kernel.time import NS_PER_S, NS_PER_US
from trinity_beast.ports.leases import (
    Ask,
    Beat,
    BucketAsk,
    BucketSlice,
    Given,
    LeasesUnreachable,
    MonthAsk,
    MonthSlice,
)

US = 1_000_000
SHARE_FOR_US = 3_600 * US
LIVE_FOR_US = 15 * US
SHORT_FOR_US = 10 * US
RESET_FOR_US = 5 * US


@dataclass
class Bucket:
    level: int
    at_us: int
    qps: int
    burst: int

    @property
    def depth(self) -> int:
        return self.burst * US if self.qps else 0


@dataclass
class MonthCounted:
    used: int | None = None
    shares: dict[str, tuple[int, int]] = field(default_factory=dict)
    short_at_us: int | None = None
    reset: tuple[int, int] | None = None


class SharedCount:
    """Buckets and months that several processes share."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.is_away = False
        self.buckets: dict[str, Bucket] = {}
        self.months: dict[tuple[str, int], MonthCounted] = {}
        self.holders: dict[str, int] = {}
        self.short: dict[str, int] = {}

    def lose_everything(self) -> None:
        self.buckets.clear()
        self.months.clear()
        self.holders.clear()
        self.short.clear()

    def of(self, holder: str) -> HeldLeases:
        return HeldLeases(self, holder)

    def now_us(self) -> int:
        return self.clock.now_ns() // NS_PER_US

    def month(self, ask: Ask) -> MonthCounted | None:
        if ask.month is None:
            return None
        name = ask.key_id, ask.month.month
        counted = self.months.setdefault(name, MonthCounted())
        now_us = self.now_us()
        for holder, (_, expires_us) in list(counted.shares.items()):
            if expires_us <= now_us:
                del counted.shares[holder]
        return counted

    def debit_bucket(self, key_id: str, ask: BucketAsk) -> BucketSlice:
        now_us = self.now_us()
        fresh = Bucket(0, now_us, ask.qps, ask.burst)
        fresh.level = fresh.depth
        had = self.buckets.get(key_id)
        if had is not None:
            flown = max(0, now_us - had.at_us) * had.qps
            level = min(had.depth, had.level + flown)
            if (had.qps, had.burst) == (ask.qps, ask.burst):
                fresh.level = level
            elif had.depth:
                fresh.level = fresh.depth * level // had.depth
        fresh.level = min(fresh.depth, fresh.level + ask.back * US)
        granted = min(ask.want, fresh.level // US)
        fresh.level -= granted * US
        self.buckets[key_id] = fresh
        return BucketSlice(granted, fresh.level * 1_000)

    def debit_month(
        self,
        holder: str,
        counted: MonthCounted,
        ask: Ask,
        month: MonthAsk,
    ) -> MonthSlice:
        now_us = self.now_us()
        others = sum(n for it, (n, _) in counted.shares.items() if it != holder)
        used = max(counted.used or 0, month.known or 0)
        if month.reset_to is not None:
            last = counted.reset
            again = last and last[1] == month.reset_to
            if not (again and last and now_us - last[0] < RESET_FOR_US):
                used = month.reset_to
                counted.reset = now_us, month.reset_to
        used = max(0, used + month.unreported - month.back)
        free = max(0, month.limit - used - others - month.share)
        live = max(1, ask.live)
        places = min(month.want, free)
        if live > 1:
            places = min(places, max(1, free // live), free)
        used += places
        starving = month.want > 0 and not places
        if starving and others > 0:
            counted.short_at_us = self.short[ask.key_id] = now_us
        short = counted.short_at_us
        advised = 0
        if not starving and not (short is not None and now_us - short < SHORT_FOR_US):
            advised = max(0, month.limit - used - others) // (2 * live)
        if not month.keep:
            advised = 0
        share = max(month.share, advised)
        counted.used = used
        counted.shares.pop(holder, None)
        if share:
            counted.shares[holder] = share, now_us + SHARE_FOR_US
        return MonthSlice(places, used, share, advised)


class HeldLeases:
    """The count as one process sees it."""

    def __init__(self, count: SharedCount, holder: str) -> None:
        self.count = count
        self.holder = holder
        self.is_cut = False
        self.loses_answers = False
        self.exchanges = 0
        self.hold: asyncio.Event | None = None

    async def exchange(self, ask: Ask) -> Given:
        self.exchanges += 1
        self._reach()
        given = self._exchange(ask)
        if self.hold is not None:
            await self.hold.wait()
        if self.loses_answers:
            raise LeasesUnreachable(reason="the answer was lost")
        return given

    async def let_go(self, key_id: str, month: int) -> None:
        self._reach()
        counted = self.count.months.get((key_id, month))
        if counted is not None:
            counted.shares.pop(self.holder, None)

    async def beat(self) -> Beat:
        self._reach()
        count, now_us = self.count, self.count.now_us()
        count.holders[self.holder] = now_us
        for name, at_us in list(count.holders.items()):
            if at_us < now_us - LIVE_FOR_US:
                del count.holders[name]
        for key_id, at_us in list(count.short.items()):
            if at_us < now_us - SHORT_FOR_US:
                del count.short[key_id]
        return Beat(len(count.holders), tuple(count.short))

    async def leave(self) -> None:
        self._reach()
        self.count.holders.pop(self.holder, None)

    def _exchange(self, ask: Ask) -> Given:
        count = self.count
        counted = count.month(ask)
        month = ask.month
        if month and counted and counted.used is None and month.known is None:
            return Given(missing=True, bucket=None, month=None)
        bucket = None
        if ask.bucket is not None:
            bucket = count.debit_bucket(ask.key_id, ask.bucket)
        places = None
        if month is not None and counted is not None:
            places = count.debit_month(self.holder, counted, ask, month)
        return Given(missing=False, bucket=bucket, month=places)

    def _reach(self) -> None:
        if self.is_cut or self.count.is_away:
            raise LeasesUnreachable(reason="it is away")


__all__ = ["NS_PER_S", "HeldLeases", "SharedCount"]
