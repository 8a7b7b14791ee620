"""Small things that every dialect says the same way."""

from __future__ import annotations

import json
from typing import TypeAlias, cast

from trinity_beast.kernel.time import to_datetime

Json: TypeAlias = dict[str, object]
"""A JSON object, not yet looked into."""


def compact(message: object) -> str:
    """Return JSON without spaces, as venues write it."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def parse_object(text: str) -> Json | None:
    """Return the JSON object that a client sent, or None if it is none."""
    try:
        message: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("Json", message) if isinstance(message, dict) else None


def object_in(value: object) -> Json:
    """Return a member that should be an object; anything else counts as empty."""
    return cast("Json", value) if isinstance(value, dict) else {}


def texts_in(value: object) -> list[str] | None:
    """Return a list of texts, or None if the value is anything else."""
    if not isinstance(value, list):
        return None
    items = cast("list[object]", value)
    texts = [item for item in items if isinstance(item, str)]
    return texts if len(texts) == len(items) else None


def objects_in(value: object) -> list[Json]:
    """Return the items of a list as objects; anything else counts as empty."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [object_in(item) for item in items]


def rfc3339_us(at_ns: int) -> str:
    """Return an instant as ``2026-09-02T07:44:10.104422Z``.  Source: RFC 3339."""
    return f"{to_datetime(at_ns):%Y-%m-%dT%H:%M:%S.%fZ}"
