"""The key ring: the keys that a process has seen, kept as fresh as the database."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from weakref import WeakValueDictionary

from trinity_beast.features.keys.errors import KeyRevoked, KeyUnknown, MissingKey
from trinity_beast.features.keys.misses import Misses
from trinity_beast.features.keys.model import FREE_TEMPLATE, ApiKey, Template
from trinity_beast.features.keys.secret import hash_of, is_well_formed
from trinity_beast.features.keys.slot import KeySlot
from trinity_beast.features.keys.terms import Terms, terms_of, used_this_month
from trinity_beast.kernel.errors import Unavailable
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.changes import EVERYTHING, Change
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.tolerating import tolerating

KEY_ID_LENGTH = 16
"""Hex digits of a key's hash by which signed datagrams name it."""


class KeySource(Protocol):
    """Where keys are read; ``KeyService`` is one."""

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        """Return the key with this hash, revoked or not."""
        ...

    async def find_by_hashes(self, key_hashes: Sequence[str]) -> dict[str, ApiKey]:
        """Return keys by their hashes; unknown hashes are left out."""
        ...

    async def list_hashes(self, start: str) -> list[str]:
        """Return the hashes of keys that start so."""
        ...

    async def free_template(self) -> Template:
        """Return what the free tier gets."""
        ...


@dataclass(frozen=True, slots=True)
class RingBounds:
    """How much a ring remembers.

    Attributes:
        slots: Keys kept although nobody uses them right now; the least lately used go.
        misses: Hashes of no key that are remembered.
        miss_ttl_s: For how long.
        batch: Keys that are read again by one query.
    """

    slots: int = 100_000
    misses: int = 10_000
    miss_ttl_s: int = 30
    batch: int = 500


DEFAULT_BOUNDS = RingBounds()


class _Fill(NamedTuple):
    """A key that is being looked up, and what changed meanwhile."""

    task: asyncio.Task[KeySlot | None]
    changes: list[Change]


class KeyRing:
    """Finds the slot of a secret; known keys work while the database is away.

    A slot is filled at the first use of its key; whoever asks for the same key
    meanwhile waits for the same query.  A slot that somebody else still holds is never
    forgotten, whatever the bounds, so that a change reaches every holder.
    """

    def __init__(
        self,
        source: KeySource,
        clock: Clock,
        *,
        grace_days: int = 7,
        bounds: RingBounds = DEFAULT_BOUNDS,
    ) -> None:
        self._source = source
        self._clock = clock
        self._grace_days = grace_days
        self._bounds = bounds
        self._misses = Misses(clock, bounds.misses, bounds.miss_ttl_s * NS_PER_S)
        self._free: Template | None = None
        self._recent: OrderedDict[str, KeySlot] = OrderedDict()
        self._slots: WeakValueDictionary[str, KeySlot] = WeakValueDictionary()
        self._rows: WeakValueDictionary[str, KeySlot] = WeakValueDictionary()
        self._by_key_id: OrderedDict[str, tuple[KeySlot, ...]] = OrderedDict()
        self._notices = 0
        self._fills: dict[str, _Fill] = {}
        # Slots to read again, the urgent ones first.  True: somebody set the usage
        # back; None: somebody may have, and we were not told.
        self._stale: OrderedDict[KeySlot, bool | None] = OrderedDict()
        self._reading = asyncio.Lock()

    def __len__(self) -> int:
        """Return how many slots are alive, those included that only others hold."""
        return len(self._slots)

    async def slot(self, secret: str | None) -> KeySlot:
        """Return the slot of a secret, from memory or from the database.

        Raises:
            MissingKey: There is no secret.
            KeyUnknown: It is mistyped, or nobody's.
            KeyRevoked: It was somebody's; ``slot`` of its context is the key's.
            DatabaseAway: It is not known here and cannot be looked up.
        """
        if not secret:
            raise MissingKey
        if not is_well_formed(secret):
            raise KeyUnknown
        key_hash = hash_of(secret)
        slot = self._slots.get(key_hash)
        if slot is None:
            slot = await self._look_up(key_hash)
        self._touch(slot)
        if slot.revoked:
            raise KeyRevoked(slot=slot)
        return slot

    def known(self, secret: str) -> KeySlot | None:
        """Return the slot of a secret without asking the database.

        Returns:
            The slot, whose key may be revoked; None when only the database can say.

        Raises:
            KeyUnknown: The secret is mistyped, or was nobody's a moment ago.
        """
        if not is_well_formed(secret):
            raise KeyUnknown
        key_hash = hash_of(secret)
        slot = self._slots.get(key_hash)
        if slot is not None:
            self._touch(slot)
        elif key_hash in self._misses:
            raise KeyUnknown
        return slot

    def known_by_id(self, key_id: str) -> tuple[KeySlot, ...] | None:
        """Return the slots that a key id may mean without asking the database.

        Args:
            key_id: The first `KEY_ID_LENGTH` digits of ``key_hash``.

        Returns:
            The slots, whose keys may be revoked; None when only the database can say.

        Raises:
            KeyUnknown: It was nobody's a moment ago.
        """
        slots = self._by_key_id.get(key_id)
        if slots is None:
            if key_id in self._misses:
                raise KeyUnknown
            return None
        if not all(map(self._is_alive, slots)):
            del self._by_key_id[key_id]
            return None
        self._by_key_id.move_to_end(key_id)
        return slots

    async def slots_by_id(self, key_id: str) -> tuple[KeySlot, ...]:
        """Return the slots that a key id may mean, from memory or from the database.

        Raises:
            KeyUnknown: There is none.
            DatabaseAway: It is not known here and cannot be looked up.
        """
        slots = self.known_by_id(key_id)
        if slots is not None:
            return slots
        notices = self._notices
        hashes = await self._source.list_hashes(key_id)
        found: list[KeySlot] = []
        for key_hash in hashes:
            slot = self._slots.get(key_hash)
            found.append(slot or await self._look_up(key_hash))
        # What a notice has overtaken is not remembered: it may be out of date.
        if notices == self._notices:
            self._remember(key_id, tuple(found))
        if not found:
            raise KeyUnknown
        return tuple(found)

    def terms_of(self, slot: KeySlot, now_ns: int) -> Terms:
        """Return what a key is allowed now: the same object until that changes."""
        terms = slot.terms
        if terms is not None and terms.from_ns <= now_ns < terms.until_ns:
            return terms
        free = self._free or FREE_TEMPLATE
        slot.terms = terms_of(slot.key, free, now_ns, self._grace_days)
        return slot.terms

    def set_grace_days(self, grace_days: int) -> None:
        """Give late payers this many days from now on."""
        if grace_days != self._grace_days:
            self._grace_days = grace_days
            self._forget_terms()

    async def apply(self, change: Change) -> None:
        """Take in a changed row; afterwards slots say what the database says.

        While the database is away slots stay as they are; what could not be read again
        is read with the next change.
        """
        self._notices += 1
        for fill in self._fills.values():
            fill.changes.append(change)
        if change.table == EVERYTHING:
            self._misses.forget("")
            self._by_key_id.clear()
            self._expect(list(self._slots.values()), lowered=None)
        elif change.table == "api_keys":
            self._expect_row(change)
        elif change.table != "rate_limit_template":
            return
        with tolerating(Unavailable, because="the next change, or poll, reads again"):
            if change.table != "api_keys":
                await self._read_tiers()
            await self._read_stale()

    async def _look_up(self, key_hash: str) -> KeySlot:
        if key_hash in self._misses:
            raise KeyUnknown
        fill = self._fills.get(key_hash)
        if fill is None:
            changes: list[Change] = []
            task = asyncio.create_task(self._fill(key_hash, changes))
            task.add_done_callback(_retrieve)
            fill = self._fills[key_hash] = _Fill(task, changes)
        # Shielded: one who gives up must not fail the others who wait for the key.
        slot = await asyncio.shield(fill.task)
        if slot is None:
            raise KeyUnknown
        return slot

    async def _fill(self, key_hash: str, changes: list[Change]) -> KeySlot | None:
        try:
            if self._free is None:
                self._free = await self._source.free_template()
            key = await self._source.find_by_hash(key_hash)
            # A notice may overtake the answer of a query that was sent before it.
            while any(_concerns(change, key_hash, key) for change in changes):
                changes.clear()
                key = await self._source.find_by_hash(key_hash)
        finally:
            del self._fills[key_hash]
        if key is None:
            self._misses.add(key_hash)
            return None
        return self._hold(KeySlot(key_hash, key))

    def _hold(self, slot: KeySlot) -> KeySlot:
        row_id = str(slot.key.id)
        namesake = self._rows.get(row_id)
        if namesake is not None:
            # The row has got another key, so the old one is about to be retired.
            self._expect([namesake], lowered=False)
        self._slots[slot.key_hash] = slot
        self._rows[row_id] = slot
        return slot

    def _remember(self, key_id: str, slots: tuple[KeySlot, ...]) -> None:
        if not slots:
            self._misses.add(key_id)
            return
        self._by_key_id[key_id] = slots
        if len(self._by_key_id) > self._bounds.slots:
            self._by_key_id.popitem(last=False)

    def _touch(self, slot: KeySlot) -> None:
        self._recent[slot.key_hash] = slot
        self._recent.move_to_end(slot.key_hash)
        if len(self._recent) > self._bounds.slots:
            self._recent.popitem(last=False)

    def _expect_row(self, change: Change) -> None:
        key_hash = "" if change.operation == "INSERT" else change.key_hash
        self._misses.forget(key_hash)
        self._misses.forget(key_hash[:KEY_ID_LENGTH])
        self._by_key_id.pop(change.key_hash[:KEY_ID_LENGTH], None)
        slots = {self._slots.get(change.key_hash), self._rows.get(change.row_id)}
        found = [slot for slot in slots if slot is not None]
        if change.operation == "DELETE":
            for slot in found:
                self._retire(slot)
        else:
            self._expect(found, lowered=change.usage_lowered)

    def _expect(self, slots: Iterable[KeySlot], *, lowered: bool | None) -> None:
        for slot in slots:
            answers = {lowered, self._stale.get(slot, False)}
            self._stale[slot] = True in answers or (None if None in answers else False)
            if lowered is not None:
                # One changed row must not wait behind a ring that is read as a whole.
                self._stale.move_to_end(slot, last=False)

    async def _read_tiers(self) -> None:
        self._free = await self._source.free_template()
        self._forget_terms()
        odd = [slot for slot in self._slots.values() if not slot.key.tier_known]
        self._expect(odd, lowered=False)

    async def _read_stale(self) -> None:
        while self._stale:
            # Two readers at once could write an older answer over a newer one.
            async with self._reading:
                # Empty when another reader was faster: the query is cheap then.
                batch = self._take_stale()
                try:
                    hashes = [slot.key_hash for slot in batch]
                    found = await self._source.find_by_hashes(hashes)
                except BaseException:
                    self._put_back(batch)
                    raise
                for slot, lowered in batch.items():
                    self._renew(slot, found.get(slot.key_hash), lowered=lowered)

    def _take_stale(self) -> dict[KeySlot, bool | None]:
        most = min(self._bounds.batch, len(self._stale))
        return dict(self._stale.popitem(last=False) for _ in range(most))

    def _put_back(self, batch: dict[KeySlot, bool | None]) -> None:
        for slot, lowered in batch.items():
            self._expect([slot], lowered=lowered)

    def _renew(
        self,
        slot: KeySlot,
        key: ApiKey | None,
        *,
        lowered: bool | None,
    ) -> None:
        if key is None or not self._is_alive(slot):
            # In the latter case its row was deleted after this answer was read.
            self._retire(slot)
            return
        if lowered is None:
            now_ns = self._clock.now_ns()
            before = used_this_month(slot.key, now_ns)
            lowered = used_this_month(key, now_ns) < before
        slot.renew(key, lowered=lowered)
        self._rows[str(key.id)] = slot

    def _is_alive(self, slot: KeySlot) -> bool:
        return self._slots.get(slot.key_hash) is slot

    def _retire(self, slot: KeySlot) -> None:
        if not self._is_alive(slot):
            return
        slot.retire()
        self._stale.pop(slot, None)
        self._recent.pop(slot.key_hash, None)
        del self._slots[slot.key_hash]
        row_id = str(slot.key.id)
        if self._rows.get(row_id) is slot:
            del self._rows[row_id]

    def _forget_terms(self) -> None:
        for slot in list(self._slots.values()):
            slot.terms = None


def _concerns(change: Change, key_hash: str, key: ApiKey | None) -> bool:
    """Tell whether a row that was read may have been changed since."""
    if change.table == EVERYTHING or change.key_hash in {"", key_hash}:
        return True
    return key is not None and change.row_id == str(key.id)


def _retrieve(task: asyncio.Task[KeySlot | None]) -> None:
    # Everybody who waited may have gone; asyncio complains of errors nobody saw.
    _ = task.cancelled() or task.exception()
