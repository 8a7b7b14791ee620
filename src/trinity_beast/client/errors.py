"""What can go wrong when one asks for prices.

Every refusal of the server has a stable code, and each code a class::

    BeastError                      any code that is newer than this client, too
    ├── InvalidRequest              invalid_request
    │   ├── TooManyAssets           too_many_assets
    │   ├── PayloadTooLarge         payload_too_large
    │   └── MethodNotAllowed        method_not_allowed
    ├── KeyRefused
    │   ├── MissingKey              missing_key
    │   ├── UnknownKey              unknown_key
    │   ├── RevokedKey              revoked_key
    │   └── TierNotAllowed          tier_not_allowed
    ├── NotFound                    not_found
    │   └── UnknownAsset            unknown_asset
    ├── Conflict                    conflict
    ├── Throttled                   with ``retry_after_ms``
    │   ├── RateLimited             rate_limited
    │   └── QuotaExceeded           quota_exceeded
    ├── Unavailable
    │   ├── PriceStale              price_stale
    │   ├── PriceUnavailable        price_unavailable
    │   └── Overloaded              overloaded
    ├── ServerFault                 internal
    ├── Unreachable                 unreachable: no answer came
    │   └── TimedOut                timed_out: not in time
    └── AnswerUnreadable            unreadable_answer: it is not one of our server's

No error ever holds the key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar


class BeastError(Exception):
    """The question was not answered with a price.

    Attributes:
        code: Stable name of what happened; compare this, not the message.
        message: What happened, for people.
        status: The HTTP status; None over UDP, or when there was no answer.
        request_id: What the server's operators find the request by.
        retry_after_ms: When asking again makes sense, if the server said so.
    """

    default_code: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        self.code = code or self.default_code
        self.message = message
        self.status = status
        self.request_id = request_id
        self.retry_after_ms = retry_after_ms
        super().__init__(message)

    def __str__(self) -> str:
        """Return the message, the code and the request id in one line."""
        asked = f", request {self.request_id}" if self.request_id else ""
        return f"{self.message} [{self.code}{asked}]"


class InvalidRequest(BeastError):
    """The request cannot be understood."""

    default_code = "invalid_request"


class TooManyAssets(InvalidRequest):
    """A batch may name 30 assets over HTTP, 8 over UDP."""

    default_code = "too_many_assets"


class PayloadTooLarge(InvalidRequest):
    """The request is larger than the server reads."""

    default_code = "payload_too_large"


class MethodNotAllowed(InvalidRequest):
    """The path is not for this method."""

    default_code = "method_not_allowed"


class KeyRefused(BeastError):
    """The key does not open this door; asking again does not help."""


class MissingKey(KeyRefused):
    """No key was sent."""

    default_code = "missing_key"


class UnknownKey(KeyRefused):
    """No such key exists."""

    default_code = "unknown_key"


class RevokedKey(KeyRefused):
    """The key was revoked for good."""

    default_code = "revoked_key"


class TierNotAllowed(KeyRefused):
    """The key's plan does not include this."""

    default_code = "tier_not_allowed"


class NotFound(BeastError):
    """There is nothing here."""

    default_code = "not_found"


class UnknownAsset(NotFound):
    """The asset is not served."""

    default_code = "unknown_asset"


class Conflict(BeastError):
    """It clashes with the present state."""

    default_code = "conflict"


class Throttled(BeastError):
    """Too much for now."""


class RateLimited(Throttled):
    """The key's bucket is empty; ask again in ``retry_after_ms``."""

    default_code = "rate_limited"


class QuotaExceeded(Throttled):
    """All requests of this month are used; waiting a moment does not help."""

    default_code = "quota_exceeded"


class Unavailable(BeastError):
    """There is no answer right now; asking again shortly may work."""


class PriceStale(Unavailable):
    """The newest price is older than ``max_age_ms``."""

    default_code = "price_stale"


class PriceUnavailable(Unavailable):
    """No source has a live price of the asset."""

    default_code = "price_unavailable"


class Overloaded(Unavailable):
    """The server is too busy, or lacks something that it needs."""

    default_code = "overloaded"


class ServerFault(BeastError):
    """A mistake on the server's side."""

    default_code = "internal"


class Unreachable(BeastError):
    """No answer came: the connection failed or broke."""

    default_code = "unreachable"


class TimedOut(Unreachable):
    """No answer came in time."""

    default_code = "timed_out"


class AnswerUnreadable(BeastError):
    """The answer is not one of a price server; something else listens there."""

    default_code = "unreadable_answer"


def _tree(root: type[BeastError]) -> Iterator[type[BeastError]]:
    for child in root.__subclasses__():
        yield child
        yield from _tree(child)


BY_CODE: Mapping[str, type[BeastError]] = MappingProxyType(
    {kind.default_code: kind for kind in _tree(BeastError) if kind.default_code},
)
"""The class of each code that this client knows."""

_BY_STATUS: Mapping[int, type[BeastError]] = MappingProxyType(
    {
        400: InvalidRequest,
        401: KeyRefused,
        403: KeyRefused,
        404: NotFound,
        405: MethodNotAllowed,
        409: Conflict,
        413: PayloadTooLarge,
        429: Throttled,
        500: ServerFault,
        503: Unavailable,
    },
)


def kind_of(code: str, status: int | None = None) -> type[BeastError]:
    """Return the class of a code; of an unknown one the general class of its status."""
    return BY_CODE.get(code) or _BY_STATUS.get(status or 0, BeastError)
