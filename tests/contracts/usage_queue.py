"""What every ``UsageQueue`` must do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trinity_beast.ports.usage_queue import QueuedBatch, UsageQueue

OpenQueue = Callable[[str], UsageQueue]
_TRIES = 100


class UsageQueueContract:
    """Inherit from it and give a fixture ``open_queue``.

    ``open_queue(consumer)`` returns a reader of one and the same queue, empty when the
    test starts, which gives unacknowledged batches to others after at most 100 ms.
    """

    async def test_what_was_published_arrives_byte_for_byte(
        self,
        open_queue: OpenQueue,
    ) -> None:
        queue = open_queue("ann")
        body = bytes(range(256)) * 400

        await queue.publish(body)

        [batch] = await queue.receive(10, 2_000)
        assert (batch.body, batch.deliveries) == (body, 1)

    async def test_batches_arrive_oldest_first_and_no_more_than_asked_for(
        self,
        open_queue: OpenQueue,
    ) -> None:
        queue = open_queue("ann")
        for number in range(5):
            await queue.publish(b"%d" % number)

        first = await queue.receive(3, 2_000)
        second = await queue.receive(3, 2_000)

        assert bodies(first) == [b"0", b"1", b"2"]
        assert bodies(second) == [b"3", b"4"]

    async def test_an_empty_queue_gives_nothing_after_the_wait(
        self,
        open_queue: OpenQueue,
    ) -> None:
        queue = open_queue("ann")

        assert bodies(await queue.receive(10, 0)) == []
        assert bodies(await queue.receive(10, 20)) == []

    async def test_depth_counts_waiting_and_unfinished_batches(
        self,
        open_queue: OpenQueue,
    ) -> None:
        queue = open_queue("ann")
        before = await queue.depth()
        await queue.publish(b"one")
        await queue.publish(b"two")

        [received] = await queue.receive(1, 2_000)
        unfinished = await queue.depth()
        await queue.acknowledge([received.receipt])

        assert (before, unfinished, await queue.depth()) == (0, 2, 1)

    async def test_an_acknowledged_batch_never_comes_again(
        self,
        open_queue: OpenQueue,
    ) -> None:
        ann, bob = open_queue("ann"), open_queue("bob")
        await ann.publish(b"done")
        [batch] = await ann.receive(10, 2_000)

        await ann.acknowledge([batch.receipt])

        for _ in range(3):
            assert bodies(await bob.receive(10, 50)) == []

    async def test_acknowledging_twice_or_nothing_is_no_error(
        self,
        open_queue: OpenQueue,
    ) -> None:
        queue = open_queue("ann")
        await queue.publish(b"done")
        [batch] = await queue.receive(10, 2_000)

        await queue.acknowledge([batch.receipt])
        await queue.acknowledge([batch.receipt])
        await queue.acknowledge([])

        assert await queue.depth() == 0

    async def test_two_consumers_share_the_batches(self, open_queue: OpenQueue) -> None:
        ann, bob = open_queue("ann"), open_queue("bob")
        await ann.publish(b"one")
        await ann.publish(b"two")

        got = [*await ann.receive(1, 2_000), *await bob.receive(1, 2_000)]

        assert sorted(bodies(got)) == [b"one", b"two"]

    async def test_an_unfinished_batch_comes_again_to_another_consumer_and_is_counted(
        self,
        open_queue: OpenQueue,
    ) -> None:
        ann, bob = open_queue("ann"), open_queue("bob")
        await ann.publish(b"lost")
        await ann.receive(10, 2_000)

        again = await until_received(bob)

        assert [(batch.body, batch.deliveries) for batch in again] == [(b"lost", 2)]
        await bob.acknowledge([again[0].receipt])
        assert await bob.depth() == 0


async def until_received(queue: UsageQueue) -> Sequence[QueuedBatch]:
    """Ask until something comes, for a few seconds at most."""
    for _ in range(_TRIES):
        if batches := await queue.receive(10, 50):
            return batches
    raise AssertionError


def bodies(batches: Sequence[QueuedBatch]) -> list[bytes]:
    """Return what the batches hold."""
    return [batch.body for batch in batches]
