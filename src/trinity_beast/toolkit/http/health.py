"""Readiness, told for each capability by itself.

A listener that still answers is not taken out of service because something beside it
is away: it says `degraded`, and what.  Only what it cannot answer without makes it
`unready`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import structlog

from trinity_beast.kernel.errors import BeastError

Probe = Callable[[], Awaitable[str | None]]
"""Looks at one capability: None when it works, else the reason, fit for the public."""

_log = structlog.get_logger("health")
_TIMEOUT_S = 2.0
_OK = 200
_UNAVAILABLE = 503


class Readiness(NamedTuple):
    """What was found: the HTTP status and the body that says why."""

    status_code: int
    body: dict[str, object]


class Health:
    """Asks all probes at once.

    Args:
        probes: One for each capability.
        required: Those without which the listener is of no use.
        timeout_s: A probe that takes longer has failed.
    """

    def __init__(
        self,
        probes: Mapping[str, Probe],
        required: frozenset[str],
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._probes = dict(probes)
        self._required = required
        self._timeout_s = timeout_s

    async def look(self) -> Readiness:
        """Return 200 when every required capability works, else 503."""
        names = list(self._probes)
        reasons = await asyncio.gather(*(self._ask(name) for name in names))
        found = dict(zip(names, reasons, strict=True))
        broken = {name for name, reason in found.items() if reason is not None}
        unready = bool(broken & self._required)
        state = "unready" if unready else "degraded" if broken else "ready"
        body: dict[str, object] = {
            "status": state,
            "capabilities": {name: _told(reason) for name, reason in found.items()},
        }
        return Readiness(_UNAVAILABLE if unready else _OK, body)

    async def _ask(self, name: str) -> str | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._probes[name]()
        except TimeoutError:
            return f"no answer within {self._timeout_s:g} s"
        except BeastError as error:
            return error.message
        except Exception:  # noqa: BLE001 - one broken check must not hide the others
            # The reason is public, and an unknown exception may hold anything.
            _log.exception("probe failed", probe=name)
            return "the check itself failed"


def _told(reason: str | None) -> dict[str, str]:
    if reason is None:
        return {"status": "ready"}
    return {"status": "degraded", "reason": reason}
