"""Dotted paths into JSON, such as ``data.0.price``; a numeric part indexes a list.

Hot path: measured in bench/feeds_decode.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, cast

from trinity_beast.features.feeds.errors import FeedRowInvalid

ABSENT: Final = object()
"""What a path that leads nowhere finds; JSON's null is None."""

_INDEX: Final = re.compile(r"[0-9]{1,9}")

Finder = Callable[[object], object]


def compile_path(exchange: str, column: str, text: str) -> Finder:
    """Return a function that follows a path and answers ``ABSENT`` at a dead end.

    Raises:
        FeedRowInvalid: The path is empty or has an empty part.
    """
    parts = text.strip().split(".")
    if not all(part.strip() for part in parts):
        raise FeedRowInvalid(exchange, column, f"is no path: {text!r}")
    if len(parts) == 1 and not _INDEX.fullmatch(parts[0]):
        return _of_one_key(parts[0])
    return _of_parts(parts)


def _of_one_key(key: str) -> Finder:
    def find(document: object) -> object:
        if type(document) is dict:
            return cast("Mapping[str, object]", document).get(key, ABSENT)
        return ABSENT

    return find


def _of_parts(parts: list[str]) -> Finder:
    steps = tuple((part, int(part) if _INDEX.fullmatch(part) else -1) for part in parts)

    def find(document: object) -> object:
        found = document
        for key, index in steps:
            if type(found) is dict:
                found = cast("Mapping[str, object]", found).get(key, ABSENT)
            elif type(found) is list and 0 <= index < len(
                items := cast("list[object]", found)
            ):
                found = items[index]
            else:
                return ABSENT
        return found

    return find
