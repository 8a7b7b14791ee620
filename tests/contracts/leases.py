"""What every shared count promises, the model of the tests included."""

from __future__ import annotations

from typing import Protocol

import pytest

from support.clocks import NOON_NS
from trinity_beast.kernel.time import month_start_ns
from trinity_beast.ports.leases import (
    Ask,
    Beat,
    BucketAsk,
    BucketSlice,
    Given,
    Leases,
    MonthAsk,
    MonthSlice,
)

OCTOBER_NS = month_start_ns(202610)
FAR_NS = NOON_NS + 20 * 365 * 86_400 * 1_000_000_000


class OpenLeases(Protocol):
    """Opens the count of this test for one process."""

    def __call__(self, holder: str) -> Leases:
        """Return it as that process sees it."""
        ...


def month(want: int, **changes: object) -> MonthAsk:
    ask = MonthAsk(month=202609, limit=100, ends_at_ns=FAR_NS, want=want, known=0)
    return ask._replace(**changes)


def of_month(want: int, live: int = 1, key: str = "k", **changes: object) -> Ask:
    return Ask(key, live, None, month(want, **changes))


def of_bucket(want: int, qps: int = 1, burst: int = 10, back: int = 0) -> Ask:
    return Ask("k", 1, BucketAsk(qps, burst, want, back), None)


def places(given: Given) -> MonthSlice:
    assert given.month is not None
    return given.month


def tokens(given: Given) -> BucketSlice:
    assert given.bucket is not None
    return given.bucket


class LeasesContract:
    """Exchanges of one or several processes."""

    async def test_a_bucket_that_nobody_used_is_full(self, leases: OpenLeases) -> None:
        ann = leases("ann")

        first = tokens(await ann.exchange(of_bucket(4)))
        rest = tokens(await ann.exchange(of_bucket(40)))

        assert first.granted == 4
        assert rest.granted == 6
        assert 0 <= rest.level < 1_000_000_000

    async def test_two_share_a_bucket(self, leases: OpenLeases) -> None:
        ann, bob = leases("ann"), leases("bob")

        taken = [
            tokens(await it.exchange(of_bucket(6))).granted for it in (ann, bob, ann)
        ]

        assert taken == [6, 4, 0]

    async def test_tokens_come_back_but_never_above_the_brim(
        self,
        leases: OpenLeases,
    ) -> None:
        ann = leases("ann")
        await ann.exchange(of_bucket(3))

        back = tokens(await ann.exchange(of_bucket(0, back=50)))

        assert back == BucketSlice(0, 10_000_000_000)

    async def test_a_bucket_of_another_size_is_as_full_as_before(
        self,
        leases: OpenLeases,
    ) -> None:
        ann = leases("ann")
        await ann.exchange(of_bucket(5))

        deeper = tokens(await ann.exchange(of_bucket(0, burst=40)))
        none_at_all = tokens(await ann.exchange(of_bucket(1, qps=0, burst=0)))
        again = tokens(await ann.exchange(of_bucket(9)))

        assert 20 <= deeper.level // 1_000_000_000 <= 21
        assert none_at_all == BucketSlice(0, 0)
        assert again.granted == 9

    async def test_a_month_that_nobody_knows_is_missing_and_nothing_is_taken(
        self,
        leases: OpenLeases,
    ) -> None:
        ann = leases("ann")
        both = Ask("k", 1, BucketAsk(1, 10, 4), month(5, known=None))

        missing = await ann.exchange(both)
        full = tokens(await ann.exchange(of_bucket(10)))

        assert missing == Given(missing=True, bucket=None, month=None)
        assert full.granted == 10

    async def test_a_month_is_debited_up_to_its_limit(self, leases: OpenLeases) -> None:
        ann = leases("ann")

        given = [
            places(await ann.exchange(of_month(want, known=known, keep=False)))
            for want, known in ((30, 60), (30, None), (1, None))
        ]

        assert given == [
            MonthSlice(30, 90, 0, 0),
            MonthSlice(10, 100, 0, 0),
            MonthSlice(0, 100, 0, 0),
        ]

    async def test_places_that_come_back_are_granted_again(
        self,
        leases: OpenLeases,
    ) -> None:
        ann, bob = leases("ann"), leases("bob")
        await ann.exchange(of_month(100, keep=False))

        await ann.exchange(of_month(0, back=40, keep=False))
        given = places(await bob.exchange(of_month(60, keep=False)))

        assert given == MonthSlice(40, 100, 0, 0)

    async def test_what_is_known_only_raises_the_use(self, leases: OpenLeases) -> None:
        ann = leases("ann")
        await ann.exchange(of_month(0, known=50))

        lower = places(await ann.exchange(of_month(0, known=20, keep=False)))
        higher = places(await ann.exchange(of_month(0, known=70, keep=False)))

        assert (lower.used, higher.used) == (50, 70)

    async def test_a_share_is_kept_from_the_others(self, leases: OpenLeases) -> None:
        ann, bob = leases("ann"), leases("bob")

        anns = places(await ann.exchange(of_month(20, live=2)))
        taken = [
            places(await bob.exchange(of_month(100, live=2, keep=False))).granted
            for _ in range(8)
        ]

        assert anns == MonthSlice(20, 20, 20, 20)
        assert taken == [30, 15, 7, 4, 2, 1, 1, 0]

    async def test_what_a_process_counts_on_stays_kept_whatever_is_advised(
        self,
        leases: OpenLeases,
    ) -> None:
        ann, bob = leases("ann"), leases("bob")
        await ann.exchange(of_month(0, live=2))
        await bob.exchange(of_month(0, live=2, known=90, keep=False))

        kept = places(await ann.exchange(of_month(0, live=2, share=25, known=None)))
        refused = places(await bob.exchange(of_month(1, live=2, keep=False)))
        lowered = places(await ann.exchange(of_month(0, live=2, share=0)))

        assert kept == MonthSlice(0, 90, 25, 2)
        assert (refused.granted, refused.used) == (0, 90)
        # Somebody went short, so nothing is set aside for a while.
        assert lowered == MonthSlice(0, 90, 0, 0)

    async def test_what_was_used_of_a_share_is_debited_when_it_is_reported(
        self,
        leases: OpenLeases,
    ) -> None:
        ann = leases("ann")
        await ann.exchange(of_month(0, live=2))

        given = await ann.exchange(of_month(0, live=2, share=5, unreported=20))

        assert places(given) == MonthSlice(0, 20, 20, 20)

    async def test_a_share_is_let_go(self, leases: OpenLeases) -> None:
        ann, bob = leases("ann"), leases("bob")
        await ann.exchange(of_month(0, live=2, share=100))

        await ann.let_go("k", 202609)
        await ann.let_go("nobody", 202609)
        given = places(await bob.exchange(of_month(50, live=2)))

        assert given.granted == 50

    async def test_who_goes_short_of_a_key_is_told_to_all(
        self,
        leases: OpenLeases,
    ) -> None:
        ann, bob = leases("ann"), leases("bob")
        await ann.exchange(of_month(0, live=2, share=100))
        quiet = await ann.beat()

        await bob.exchange(of_month(1, live=2))
        told = await ann.beat()

        assert quiet == Beat(1, ())
        assert told == Beat(1, ("k",))

    async def test_a_reset_by_hand_counts_once_whoever_tells_of_it(
        self,
        leases: OpenLeases,
    ) -> None:
        ann, bob = leases("ann"), leases("bob")
        await ann.exchange(of_month(90, keep=False))

        first = places(await ann.exchange(of_month(10, reset_to=0, keep=False)))
        second = places(await bob.exchange(of_month(10, reset_to=0, keep=False)))
        other = places(await bob.exchange(of_month(0, reset_to=5, keep=False)))

        assert [it.used for it in (first, second, other)] == [10, 20, 5]

    async def test_processes_are_counted_while_they_are_heard_of(
        self,
        leases: OpenLeases,
    ) -> None:
        ann, bob = leases("ann"), leases("bob")

        seen = [(await it.beat()).live for it in (ann, bob, ann)]
        await bob.leave()
        seen.append((await ann.beat()).live)

        assert seen == [1, 2, 2, 1]

    async def test_bucket_and_month_are_one_exchange(self, leases: OpenLeases) -> None:
        ann = leases("ann")
        both = Ask("k", 1, BucketAsk(1, 10, 4), month(5, keep=False))

        given = await ann.exchange(both)

        assert tokens(given).granted == 4
        assert places(given) == MonthSlice(5, 5, 0, 0)

    @pytest.mark.parametrize("key", ["a", "b"])
    async def test_keys_do_not_mix(self, leases: OpenLeases, key: str) -> None:
        ann = leases("ann")
        for other in ("a", "b"):
            await ann.exchange(of_month(100, key=other, keep=False))
        await ann.exchange(of_month(0, key=key, back=10, keep=False))

        used = [
            places(await ann.exchange(of_month(0, key=it, keep=False))).used
            for it in ("a", "b")
        ]

        assert sorted(used) == [90, 100]
