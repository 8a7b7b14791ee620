"""Swallowing an error is a verb with a reason."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import structlog

_log = structlog.get_logger("tolerating")


@contextmanager
def tolerating(*errors: type[BaseException], because: str) -> Generator[None]:
    """Let the block fail with one of ``errors``, log it, and go on.

    Args:
        errors: What may happen.
        because: Why that is all right: who repairs it, or who is told instead.
    """
    try:
        yield
    except errors as error:
        _log.debug("tolerated", error=repr(error), because=because)
