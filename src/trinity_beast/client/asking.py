"""Questions over HTTP: each a flow that ends with its answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlencode

from trinity_beast.client.answers import batch_of, price_of, read_object, refusal_of
from trinity_beast.client.effects import Flow, Lost, Reply, Request, Send, Wait
from trinity_beast.client.errors import BeastError, TimedOut, Unreachable
from trinity_beast.client.options import Options, Surroundings
from trinity_beast.client.prices import Batch, Price
from trinity_beast.client.retrying import Patience

_JSON = {"Content-Type": "application/json"}


class Asking:
    """Asks questions over HTTP.

    Args:
        options: How often, and how long to wait.
        around: Time and chance.
    """

    def __init__(self, options: Options, around: Surroundings) -> None:
        self._options = options
        self._around = around

    def price(self, asset: str, max_age_ms: int | None = None) -> Flow[Price]:
        """Ask for the price of one asset."""
        query = {"asset": asset, "format": "plain"}
        if max_age_ms is not None:
            query["max_age_ms"] = str(max_age_ms)
        reply = yield from self._ask(Request(path=f"/price?{urlencode(query)}"))
        return price_of(read_object(reply.body))

    def prices(
        self,
        assets: Sequence[str],
        max_age_ms: int | None = None,
    ) -> Flow[Batch]:
        """Ask for the prices of several assets."""
        question: dict[str, object] = {"assets": list(assets), "format": "plain"}
        if max_age_ms is not None:
            question["max_age_ms"] = max_age_ms
        request = Request(
            path="/prices",
            method="POST",
            headers=_JSON,
            content=json.dumps(question).encode("ascii"),
        )
        reply = yield from self._ask(request)
        return batch_of(read_object(reply.body))

    def _ask(self, request: Request) -> Flow[Reply]:
        patience = Patience(self._options.retry, self._around)
        while True:
            outcome = cast(
                "Reply | Lost",
                (yield Send(request, self._options.timeout_s)),
            )
            error = failure_of(outcome, self._around.unix_ms())
            if error is None:
                return cast("Reply", outcome)
            yield Wait(patience.wait_after(error))


def failure_of(outcome: Reply | Lost, unix_ms: int) -> BeastError | None:
    """Return the error that an outcome is, or None when it is none.

    Args:
        outcome: Of a request.
        unix_ms: The present.
    """
    if isinstance(outcome, Lost):
        return (TimedOut if outcome.too_late else Unreachable)(outcome.reason)
    return refusal_of(outcome, unix_ms)
