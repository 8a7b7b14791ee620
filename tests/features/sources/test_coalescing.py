"""However many ask, one question is on its way."""

from __future__ import annotations

import asyncio

import pytest

from trinity_beast.features.sources.coalescing import Coalescing


class Work:
    """Counts its runs; it ends when it is let go."""

    def __init__(self) -> None:
        self.runs = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.runs += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.runs


async def turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_hundred_who_ask_at_once_share_one_run() -> None:
    work, shared = Work(), Coalescing[str, int]()
    asking = [asyncio.create_task(shared.run("BTC", work)) for _ in range(100)]
    await turns()
    work.gate.set()

    assert await asyncio.gather(*asking) == [1] * 100


async def test_who_asks_later_starts_anew() -> None:
    work, shared = Work(), Coalescing[str, int]()
    work.gate.set()

    assert [await shared.run("BTC", work) for _ in range(2)] == [1, 2]


async def test_other_keys_do_not_wait() -> None:
    work, other, shared = Work(), Work(), Coalescing[str, int]()
    waiting = asyncio.create_task(shared.run("BTC", work))
    other.gate.set()

    assert await shared.run("ETH", other) == 1
    work.gate.set()
    assert await waiting == 1


async def test_the_first_may_go_away_and_the_others_get_their_answer() -> None:
    work, shared = Work(), Coalescing[str, int]()
    first, second = (asyncio.create_task(shared.run("BTC", work)) for _ in range(2))
    await turns()
    first.cancel()
    await turns()
    work.gate.set()

    assert await second == 1
    assert first.cancelled()
    assert work.runs == 1


async def test_a_failure_is_told_to_each_and_to_nobody_when_all_are_gone() -> None:
    work, shared = Work(), Coalescing[str, int]()
    work.error = RuntimeError("broken")
    asking = [asyncio.create_task(shared.run("BTC", work)) for _ in range(3)]
    await turns()
    asking[0].cancel()
    work.gate.set()

    assert [
        type(result) for result in await asyncio.gather(*asking, return_exceptions=True)
    ] == [asyncio.CancelledError, RuntimeError, RuntimeError]


async def test_closing_ends_what_runs() -> None:
    work, shared = Work(), Coalescing[str, int]()
    asking = asyncio.create_task(shared.run("BTC", work))
    await turns()
    await shared.close()

    with pytest.raises(asyncio.CancelledError):
        await asking
