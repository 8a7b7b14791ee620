"""The envelope of the "Trinity Beast Canonical" (tbc) body format.

A tbc body opens with who answered, and how: ``status``, ``status_code``, ``endpoint``;
then come the plain fields, or ``error``.  Source: data dictionary 1.1, response_format.
"""

from __future__ import annotations

import msgspec

from trinity_beast.kernel.errors import BeastError, Throttled
from trinity_beast.toolkit.http.problems import code_of, message_of, status_of

_FIRST_ERROR_STATUS = 400


class Envelope:
    """Opens tbc bodies of one service on one node.

    Args:
        service: Short name, such as ``LPO``.
        region: Region of the node, such as ``us-east-2``.
        node: Name of the node, such as ``BeastMain``.
    """

    def __init__(self, service: str, region: str, node: str) -> None:
        self._who = f"[{service}] [{region}] [{node}]"
        self._openings: dict[tuple[str, int], bytes] = {}

    def opening(self, endpoint: str, status: int) -> bytes:
        """Return the first bytes of a body: ``{"status":…,"endpoint":…`` with no comma.

        Args:
            endpoint: Path of the route, one of our own, never text of a client: each
                is remembered.
            status: The HTTP status of the answer.
        """
        opening = self._openings.get((endpoint, status))
        if opening is None:
            mark = "✅" if status < _FIRST_ERROR_STATUS else "❌"
            fields = {
                "status": f"{mark} {self._who} [{endpoint}] [{status}]",
                "status_code": status,
                "endpoint": endpoint,
            }
            opening = msgspec.json.encode(fields)[:-1]
            self._openings[endpoint, status] = opening
        return opening

    def error_body(self, error: BeastError, endpoint: str) -> bytes:
        """Return a whole body that tells an error."""
        body: dict[str, object] = {
            "error": {"code": code_of(error), "message": message_of(error)},
        }
        if isinstance(error, Throttled):
            body["retry_after_ms"] = error.retry_after_ms
        rest = msgspec.json.encode(body)
        return self.opening(endpoint, status_of(error)) + b"," + rest[1:]
