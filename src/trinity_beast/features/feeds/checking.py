"""A look at the live feeds: connect, subscribe, listen for a while, report."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from trinity_beast.features.board import Tick
from trinity_beast.features.catalogue import CatalogueSnapshot
from trinity_beast.features.feeds.engine import FeedEngine
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.exchanges import Exchanges
from trinity_beast.ports.randomness import Randomness

_LOOK_EVERY_S: Final = 0.1
_SILENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class FeedCheck:
    """What one exchange did while it was watched.

    Attributes:
        asked: Symbols that were asked for.
        acked: Symbols that it took.
        seen: Symbols that traded.
        refused: Its words for each symbol that it refused.
        unacked: Symbols that it never answered for.
        error: The newest error of any sort, or None.
    """

    exchange: str
    state: str
    asked: int
    acked: int
    seen: int
    refused: Mapping[str, str]
    unacked: tuple[str, ...]
    error: str | None

    @property
    def healthy(self) -> bool:
        """Say whether every symbol that was asked for was taken."""
        return self.state == "live" and self.acked == self.asked and not self.refused

    def __str__(self) -> str:
        """Return one line for people, and one more for each refused symbol."""
        line = (
            f"{self.exchange}: {self.state}, {self.asked} asked, {self.acked} acked,"
            f" {self.seen} seen"
        )
        if self.error is not None:
            line += f", last error: {self.error}"
        refused = (f"  {name}: {words}" for name, words in self.refused.items())
        unanswered = (f"  {name}: no answer" for name in self.unacked)
        return "\n".join((line, *refused, *unanswered))


class _NoBoard:
    """Shows nothing: a check must not change anybody's prices."""

    def publish(self, asset: str, tick: Tick) -> bool:  # noqa: ARG002 - the board's shape
        return True

    def heard(self, source: str, at_ns: int) -> None: ...

    def write_report(self, report: bytes) -> None: ...


async def check_feeds(
    snapshot: CatalogueSnapshot,
    exchanges: Exchanges,
    clock: Clock,
    randomness: Randomness,
    *,
    wait_s: float = 20.0,
) -> tuple[FeedCheck, ...]:
    """Connect to each enabled exchange and return what came of it.

    It returns as soon as every exchange answered for each of its symbols and traded
    once, cannot work, or ``wait_s`` are over.
    """
    engine = FeedEngine(
        exchanges,
        _NoBoard(),
        clock,
        randomness,
        lambda: _SILENCE_S,
    )
    await engine.apply(snapshot)
    enabled = {row.exchange_name for row in snapshot.feeds if row.enabled}
    ends_ns = clock.monotonic_ns() + round(wait_s * 1e9)
    try:
        while clock.monotonic_ns() < ends_ns:
            await clock.sleep(_LOOK_EVERY_S)
            if all(_is_done(report) for report in _reports(engine).values()):
                break
        found = _reports(engine)
    finally:
        await asyncio.shield(engine.stop())
    return tuple(_check_of(name, found[name]) for name in found if name in enabled)


def _reports(engine: FeedEngine) -> dict[str, dict[str, object]]:
    return cast("dict[str, dict[str, object]]", engine.report()["exchanges"])


def _is_done(report: Mapping[str, object]) -> bool:
    if report["state"] in {"stopped", "broken"}:
        return True
    return bool(report["settled"]) and bool(report["seen"])


def _check_of(name: str, report: Mapping[str, object]) -> FeedCheck:
    return FeedCheck(
        exchange=name,
        state=str(report["state"]),
        asked=cast("int", report["asked"]),
        acked=cast("int", report["acked"]),
        seen=cast("int", report["seen"]),
        refused=cast("dict[str, str]", report["refused"]),
        unacked=tuple(cast("list[str]", report["unacked"])),
        error=cast("str | None", report["last_error"]),
    )
