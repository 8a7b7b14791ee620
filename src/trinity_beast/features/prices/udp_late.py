"""Answers that must wait: for a lease of the limits, or for another source of a price.

They go the ordinary way of all price requests; only their form is that of datagrams.
"""

from __future__ import annotations

import asyncio
import re

import structlog

from trinity_beast.features.keys import KeySlot
from trinity_beast.features.prices.errors import TooManyAssets
from trinity_beast.features.prices.model import PriceRequest
from trinity_beast.features.prices.service import Answer, PriceService
from trinity_beast.features.prices.udp_prepared import ENDPOINT, MANY, ONE
from trinity_beast.features.prices.udp_settling import Asked
from trinity_beast.features.prices.udp_wire import (
    MOST_ASSETS,
    MOST_BYTES,
    error_answer,
    with_id,
)
from trinity_beast.kernel.errors import BeastError, Throttled
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.udp import WayBack

_log = structlog.get_logger("udp")

_PATIENCE_NS = 50 * NS_PER_MS
_MOST_REFUSED = 10_000
_COUNT = re.compile(rb'\{"count":\d+,')
_TIMES = re.compile(rb',"latency_ms":\d+,"duration_ms":\d+\}')


class LateAnswers:
    """Answers proven questions in tasks of their own, not too many at a time.

    Args:
        service: Answers them.
        clock: Monotonic time.
        at_once: Questions that may be waiting.
        finish_s: How long stopping waits for the last ones.
    """

    def __init__(
        self,
        service: PriceService,
        clock: Clock,
        *,
        at_once: int = 512,
        finish_s: float = 5.0,
    ) -> None:
        self._service = service
        self._clock = clock
        self._at_once = at_once
        self._finish_s = finish_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused_until_ns: dict[str, int] = {}

    def may_help(self, slot: KeySlot) -> bool:
        """Tell whether waiting may help: there is room, and it did not just fail."""
        if len(self._tasks) >= self._at_once:
            return False
        until_ns = self._refused_until_ns.get(slot.key_hash, 0)
        return self._clock.monotonic_ns() >= until_ns

    def answer(self, slot: KeySlot, asked: Asked, way_back: WayBack) -> None:
        """Answer a question of a proven key in a while."""
        task = asyncio.create_task(self._answer(slot, asked, way_back))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until all are answered, for a while; then give up."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=self._finish_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _answer(self, slot: KeySlot, asked: Asked, way_back: WayBack) -> None:
        try:
            answer = await self._service.answer_for(slot, _request_of(asked))
        except Exception:  # noqa: BLE001 - nobody else would hear of it
            _log.exception("datagram failed")
            answer = Answer(error=BeastError())
        if isinstance(answer.error, Throttled):
            self._note_refusal(slot)
        way_back(_datagram_of(answer, asked.question.request_id))

    def _note_refusal(self, slot: KeySlot) -> None:
        if len(self._refused_until_ns) >= _MOST_REFUSED:
            self._refused_until_ns.clear()
        until_ns = self._clock.monotonic_ns() + _PATIENCE_NS
        self._refused_until_ns[slot.key_hash] = until_ns


def _request_of(asked: Asked) -> PriceRequest:
    question = asked.question
    return PriceRequest(
        secret="",
        endpoint=ENDPOINT,
        query_type=MANY if question.is_batch else ONE,
        ip=asked.ip,
        request_id=question.request_id.decode("ascii"),
        assets=question.assets,
        is_batch=question.is_batch,
        form="plain",
        fault=question.fault,
    )


def _datagram_of(answer: Answer, request_id: bytes) -> bytes:
    if answer.error is not None:
        return error_answer(answer.error, request_id)
    body = with_id(_COUNT.sub(b"{", answer.body, count=1), request_id)
    if len(body) > MOST_BYTES:
        body = _TIMES.sub(b"}", body)
    if len(body) > MOST_BYTES:
        return error_answer(TooManyAssets(most=MOST_ASSETS), request_id)
    return body
