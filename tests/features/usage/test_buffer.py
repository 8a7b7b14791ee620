from __future__ import annotations

from support.usage import usage_record
from trinity_beast.features.usage import UsageBuffer


def test_records_leave_in_the_order_in_which_they_came() -> None:
    buffer = UsageBuffer(10)
    for number in range(5):
        buffer.add(usage_record(number))

    taken = [buffer.drain(2), buffer.drain(100), buffer.drain(1)]

    assert taken == [
        [usage_record(0), usage_record(1)],
        [usage_record(2), usage_record(3), usage_record(4)],
        [],
    ]


def test_a_full_buffer_drops_the_newest_and_counts() -> None:
    buffer = UsageBuffer(2)

    for number in range(5):
        buffer.add(usage_record(number))

    assert (len(buffer), buffer.dropped) == (2, 3)
    assert buffer.drain(9) == [usage_record(0), usage_record(1)]


def test_a_full_batch_calls_the_shipper() -> None:
    buffer = UsageBuffer(100, wake_at=3)

    called: list[bool] = []
    for number in range(4):
        buffer.add(usage_record(number))
        called.append(buffer.ready.is_set())

    assert called == [False, False, True, True]


def test_a_small_buffer_calls_the_shipper_when_half_full() -> None:
    buffer = UsageBuffer(4, wake_at=1_000)

    buffer.add(usage_record(0))
    assert not buffer.ready.is_set()
    buffer.add(usage_record(1))
    assert buffer.ready.is_set()


def test_a_buffer_made_smaller_keeps_what_it_has() -> None:
    buffer = UsageBuffer(10)
    for number in range(5):
        buffer.add(usage_record(number))

    buffer.resize(2)
    buffer.add(usage_record(5))

    assert (len(buffer), buffer.dropped) == (5, 1)
