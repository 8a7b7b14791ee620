"""The grammar of ``trade_channel_match``: which frames are trades.

Terms are joined by commas and all must hold::

    path=value     the value at the path, as text, is this one
    path=a|b       … or one of these
    path=*         it is there and not null
    path^=prefix   it is text that begins so (``a|b``: one of these)
    path!=value    it is not this one (``a|b``: none of these); absence fits
    !path          it is absent or null

Numbers and true/false compare by their JSON text.  An empty value, as in ``event=``,
is the empty text.  Values cannot hold commas or bars.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from trinity_beast.features.feeds.errors import FeedRowInvalid
from trinity_beast.features.feeds.paths import ABSENT, Finder, compile_path

Rule = Callable[[object], bool]

_COLUMN: Final = "trade_channel_match"
_TERM: Final = re.compile(r"([^=!^|*]+)(!=|\^=|=)([^=]*)")
_MOST_DIGITS: Final = 40


def compile_rule(exchange: str, text: str) -> Rule:
    """Return a function that says whether a JSON document is a trade frame.

    Raises:
        FeedRowInvalid: A term is not of the grammar; it is quoted in the reason.
    """
    terms = [_compile_term(exchange, term.strip()) for term in text.split(",")]
    if len(terms) == 1:
        return terms[0]

    def holds(document: object) -> bool:
        for term in terms:  # noqa: SIM110 - all() over a generator costs twice as much
            if not term(document):
                return False
        return True

    return holds


def _compile_term(exchange: str, term: str) -> Rule:
    if term.startswith("!") and "=" not in term:
        find = compile_path(exchange, _COLUMN, term[1:])
        present = _present(find)
        return lambda document: not present(document)
    match = _TERM.fullmatch(term)
    if match is None:
        raise FeedRowInvalid(exchange, _COLUMN, f"has a bad term: {term!r}")
    path, operator, value = match.groups()
    find = compile_path(exchange, _COLUMN, path)
    values = tuple(part.strip() for part in value.split("|"))
    if "*" in value and (value.strip() != "*" or operator != "="):
        raise FeedRowInvalid(exchange, _COLUMN, f"has a bad term: {term!r}")
    if value.strip() == "*":
        return _present(find)
    if operator == "^=":
        return _prefixed(find, values)
    if operator == "!=":
        return _different(find, frozenset(values))
    return _equal(find, frozenset(values))


def _present(find: Finder) -> Rule:
    def holds(document: object) -> bool:
        found = find(document)
        return found is not None and found is not ABSENT

    return holds


def _prefixed(find: Finder, prefixes: tuple[str, ...]) -> Rule:
    def holds(document: object) -> bool:
        found = find(document)
        return isinstance(found, str) and found.startswith(prefixes)

    return holds


def _equal(find: Finder, values: frozenset[str]) -> Rule:
    def holds(document: object) -> bool:
        found = find(document)
        return (found if type(found) is str else _text_of(found)) in values

    return holds


def _different(find: Finder, values: frozenset[str]) -> Rule:
    equal = _equal(find, values)
    return lambda document: not equal(document)


def _text_of(value: object) -> str | None:
    """Return a JSON scalar as text; None for objects, lists and absence."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) < 10**_MOST_DIGITS:
        return str(value)
    return None
