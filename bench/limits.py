"""What a limit costs: microseconds a check, on one core.

    .venv/bin/python bench/limits.py [--checks 200000]

The budget of ``features.limits`` is 3 microseconds for a check.  Printed are the
medians of nine rounds.
"""

from __future__ import annotations

import argparse
import statistics
import timeit
from collections.abc import Callable
from uuid import UUID

from trinity_beast.adapters.system import SystemClock
from trinity_beast.features.keys import FREE_TEMPLATE, ApiKey, KeySlot, terms_of
from trinity_beast.features.limits import Limiter, rate_limit_headers

ROUNDS = 9
KEY = ApiKey(
    id=UUID(int=1),
    user_id=None,
    key_hash="0" * 64,
    name=None,
    tier="enterprise",
    query_limit=900_000_000,
    current_usage=0,
    last_used_ns=None,
    created_at_ns=0,
    rate_limit_qps=100_000_000,
    burst_limit=1_000_000_000,
    minimum_wait_ms=100,
    revoked=False,
    lrs_enabled=False,
    response_format="tbc",
    subscription_status="active",
    payment_failed_at_ns=None,
    tier_effective_at_ns=None,
    shown="bench",
)


def median_us(work: Callable[[], object], times: int) -> float:
    """Return the median over rounds of the time of one call."""
    rounds = timeit.repeat(work, number=times, repeat=ROUNDS)
    return statistics.median(rounds) / times * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=200_000)
    checks: int = parser.parse_args().checks

    clock = SystemClock()
    now_ns = clock.now_ns()
    limiter = Limiter(clock)
    slot = KeySlot(KEY.key_hash, KEY)
    terms = terms_of(KEY, FREE_TEMPLATE, now_ns, 7)
    decision = limiter.check(slot, terms, now_ns)

    def check_and_answer() -> None:
        limiter.answered(limiter.check(slot, terms, now_ns), success=True)

    figures = {
        "check": lambda: limiter.check(slot, terms, now_ns),
        "check and answered": check_and_answer,
        "headers": lambda: rate_limit_headers(decision),
    }
    for name, work in figures.items():
        print(f"{name:20} {median_us(work, checks):6.2f} us")


if __name__ == "__main__":
    main()
