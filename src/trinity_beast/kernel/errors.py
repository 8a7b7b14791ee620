"""Errors are named for what happened and are of one of seven kinds.

The tree, as far as the kernel knows it; features add leaves to it::

    BeastError
    ├── Invalid       the caller's input cannot be used
    ├── Unknown       we do not know who is asking
    ├── Forbidden     we know, and the answer is no
    ├── NotFound      there is no such thing
    ├── Conflict      it clashes with what is there
    ├── Throttled     too much, come back later
    └── Unavailable   something we need is away

A leaf has a stable ``code``, a ``message`` that is safe to show and, per raise, a
``context`` for the log.  Listeners turn kinds into HTTP statuses and UDP codes.
"""

from __future__ import annotations

from typing import ClassVar


class BeastError(Exception):
    """Something that a caller can be told about.

    Attributes:
        code: Stable name of the error, part of the public API; never renamed.
        template: Text safe to show; ``{name}`` is filled from the context.
        context: What the log should know of this one; never shown as a whole.
    """

    code: ClassVar[str] = "internal"
    template: ClassVar[str] = "Something went wrong on our side."

    def __init__(self, **context: object) -> None:
        self.context = context
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """Return the text that may be shown to the caller."""
        return self.template.format_map(self.context)


class Invalid(BeastError):
    """The caller's input cannot be used."""

    code = "invalid_request"
    template = "The request is not valid."


class Unknown(BeastError):
    """We do not know who is asking."""

    code = "unknown_key"
    template = "This key is not known."


class Forbidden(BeastError):
    """We know who is asking, and the answer is no."""

    code = "tier_not_allowed"
    template = "This is not part of your plan."


class NotFound(BeastError):
    """There is no such thing."""

    code = "not_found"
    template = "There is nothing here."


class Conflict(BeastError):
    """It clashes with what is already there."""

    code = "conflict"
    template = "This clashes with what is already there."


class Throttled(BeastError):
    """Too much for now.

    Attributes:
        retry_after_ms: When asking again makes sense, in milliseconds from now.
    """

    code = "rate_limited"
    template = "Too many requests; wait a little."

    def __init__(self, retry_after_ms: int, **context: object) -> None:
        self.retry_after_ms = retry_after_ms
        super().__init__(retry_after_ms=retry_after_ms, **context)


class Unavailable(BeastError):
    """Something we need is away; asking again later may work."""

    code = "overloaded"
    template = "The service cannot answer right now; try again shortly."
