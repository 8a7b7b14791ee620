from __future__ import annotations

from trinity_beast.adapters.system import SystemClock, SystemRandomness


async def test_the_clock_of_the_machine_goes_on_while_it_sleeps() -> None:
    clock = SystemClock()
    before, steady_before = clock.now_ns(), clock.monotonic_ns()

    await clock.sleep(0.001)

    assert clock.now_ns() > before
    assert clock.monotonic_ns() > steady_before


def test_the_randomness_of_the_machine_does_not_repeat() -> None:
    randomness = SystemRandomness()

    assert randomness.token_bytes(16) != randomness.token_bytes(16)
    assert 1 <= randomness.uniform(1, 2) <= 2
