from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from trinity_beast.kernel.errors import Unavailable
from trinity_beast.toolkit.waiting import wait_for

if TYPE_CHECKING:
    from support.clocks import FixedClock


async def test_waiting_writes_one_clear_line_a_second(clock: FixedClock) -> None:
    tries: list[int] = []

    async def attempt() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable(reason="refused")
        return "there"

    with capture_logs() as lines:
        found = await wait_for("the database", attempt, clock)

    assert found == "there"
    assert lines == [
        {"event": "waiting for the database", "reason": "refused", "log_level": level}
        for level in ["warning", "warning"]
    ]
    assert clock.monotonic_ns() == 3_000_000_000
