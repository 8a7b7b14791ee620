"""Log lines: readable on a terminal, JSON elsewhere, never with a secret in them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import TextIO

import structlog

_SECRET_NAMES = re.compile(
    r"secret|password|token|api_key|authorization", re.IGNORECASE
)
_KEYS = re.compile(r"tb_(?:live|admin)_[0-9A-Za-z]{8,}|ak_live_[0-9A-Za-z]{8,}")
_URL_PASSWORDS = re.compile(r"(?<=://)([^:/@\s]*):[^@/\s]+@")
_MASK = "…"

Event = MutableMapping[str, object]


def mask(text: str) -> str:
    """Return ``text`` without API keys and passwords of URLs."""
    return _URL_PASSWORDS.sub(rf"\1:{_MASK}@", _KEYS.sub(f"tb_{_MASK}", text))


def mask_event(_logger: object, _method: str, event: Event) -> Event:
    """Mask secrets in a log event; a structlog processor."""
    for name, value in event.items():
        if _SECRET_NAMES.search(name):
            event[name] = _MASK
        elif isinstance(value, str):
            event[name] = mask(value)
    return event


def set_up_logs(level: str, out: TextIO | None = None) -> None:
    """Send all log lines of this process to ``out``, or to standard error.

    Args:
        level: ``debug``, ``info``, ``warn`` or ``error``.
        out: A terminal gets readable lines, anything else one JSON object a line.
    """
    lines = out or sys.stderr
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if lines.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    threshold = {"warn": logging.WARNING}.get(level) or getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            mask_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(lines),
        cache_logger_on_first_use=False,
    )
