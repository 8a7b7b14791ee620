from __future__ import annotations

import asyncio

from support.clocks import FixedClock
from trinity_beast.toolkit.background import Background


async def test_a_loop_that_fails_is_started_again(clock: FixedClock) -> None:
    done = asyncio.Event()
    runs: list[int] = []

    async def loop() -> None:
        runs.append(1)
        if len(runs) < 3:
            clock.advance(10 if len(runs) == 1 else 0)
            raise ValueError("broken")
        done.set()

    background = Background(clock)
    background.start("worker", loop)
    await asyncio.wait_for(done.wait(), 5)
    await background.stop()

    assert len(runs) == 3
    assert background.failures == {"worker": "ValueError('broken')"}


async def test_stopping_lets_each_loop_clean_up_youngest_first(
    clock: FixedClock,
) -> None:
    stopped: list[str] = []
    started = asyncio.Event()

    async def loop(name: str) -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            stopped.append(name)

    background = Background(clock)
    background.start("first", lambda: loop("first"))
    background.start("second", lambda: loop("second"))
    await started.wait()
    await asyncio.sleep(0)
    await background.stop()

    assert stopped == ["second", "first"]
