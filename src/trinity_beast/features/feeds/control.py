"""Reads the frames that are not trades, by their shape and never by a venue's name.

Venues say "no" in a handful of ways: a type, event or status called error or fail,
``success`` false, an ``error`` that is there, a code that is not zero.  This module
knows those ways, finds the words meant for people, and finds which of our symbols they
speak of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, cast

import msgspec

LONGEST_TEXT: Final = 200

_KINDS: Final = (
    "type",
    "event",
    "status",
    "op",
    "channel",
    "action",
    "method",
    "result",
)
_FAILURES: Final = frozenset({"error", "fail", "failed", "failure"})
_CODES: Final = ("code", "ret_code", "retCode", "err-code")
_CODE: Final = re.compile(r"-?[0-9]{1,18}")
_FINE: Final = frozenset({0, 200})
_FIRST_BAD_STATUS: Final = 400
_WORDS: Final = (
    "message",
    "msg",
    "ret_msg",
    "retMsg",
    "reason",
    "error",
    "err-msg",
    "errorMessage",
    "detail",
)
_ALREADY: Final = re.compile(r"already\W+subscri|duplicate\W+subscri", re.IGNORECASE)
_PASSING: Final = re.compile(
    r"rate.?limit|too many|too fast|throttl|try again|tempora|time.?out|timed out"
    r"|internal|unavailable|busy|overload",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9]+(?:[-_/][A-Za-z0-9]+)*")
_FOLDED_FROM: Final = 5
_DEEPEST: Final = 6
_MOST_VALUES: Final = 5_000


def error_words(document: object) -> str | None:
    """Return a venue's words on what is wrong, or None if the frame is no error.

    They are as the venue wrote them, of any length, and may be none at all.
    """
    fields = _fields(document)
    if fields is None or is_notice(document) or not _fails(fields):
        return None
    return ": ".join(dict.fromkeys(_words(fields)))


def describe(document: object, words: str) -> str:
    """Return an error as it is stored and shown: its words, else its plain fields."""
    if words:
        return clean(words)
    return clean(msgspec.json.encode(scalars(_cleaned(document))).decode())


def is_notice(document: object) -> bool:
    """Say whether a venue announces that it will close the connection soon."""
    fields = _fields(document)
    return fields is not None and "notice" in {fields.get("event"), fields.get("type")}


def is_passing(text: str) -> bool:
    """Say whether an error's words blame the moment, not what was asked."""
    return _PASSING.search(text) is not None


def is_already(text: str) -> bool:
    """Say whether an error's words mean that the subscription exists."""
    return _ALREADY.search(text) is not None


def heartbeat_answer(document: object) -> str | None:
    """Return the answer that a heartbeat waits for, or None for any other frame.

    A ``public/heartbeat`` must be answered within 5 s with its own id.
    Source: Crypto.com Exchange API v1, WebSocket heartbeats.
    """
    fields = _fields(document)
    if fields is None or fields.get("method") != "public/heartbeat":
        return None
    answer = {"id": fields.get("id"), "method": "public/respond-heartbeat"}
    return msgspec.json.encode(answer).decode()


def venue_status(document: object) -> str | None:
    """Return a venue's own word on its state, such as ``maintenance``, if it is one."""
    fields = _fields(document)
    if fields is None or fields.get("channel") != "status":
        return None
    data = fields.get("data")
    items = cast("list[object]", data) if isinstance(data, list) else []
    first = _fields(items[0]) if items else None
    system = first.get("system") if first else None
    return clean(system) if isinstance(system, str) else None


class SymbolFinder:
    """Finds which of some symbols a frame, or a text, names."""

    def __init__(self, forms: Mapping[str, Iterable[str]]) -> None:
        """Take each symbol with the other ways in which a venue may write it."""
        self._known: dict[str, str] = {}
        for symbol, others in forms.items():
            for form in (symbol, *others):
                self._known[form] = symbol
                if len(form) >= _FOLDED_FROM:
                    self._known.setdefault(form.casefold(), symbol)
        odd = [form for form in self._known if not _TOKEN.fullmatch(form)]
        # Names such as BTC:USD are no words of their own, so each is looked for.
        self._odd = re.compile(
            "|".join(
                rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])" for form in odd
            )
            or "(?!)",
        )

    def in_text(self, text: str) -> set[str]:
        """Return the symbols that a text names as whole words; case is forgiven."""
        words = [text, *_TOKEN.findall(text)]
        words += [match[0] for match in self._odd.finditer(text)]
        known = self._known
        found = {known.get(word) or known.get(word.casefold()) for word in words}
        return {symbol for symbol in found if symbol is not None}

    def in_document(self, document: object) -> set[str]:
        """Return the symbols that any text of a document names."""
        found: set[str] = set()
        for text in _texts(document):
            found |= self.in_text(text)
        return found


def clean(text: str) -> str:
    """Return a venue's text in a form that can be stored, logged and shown."""
    plain = text[: LONGEST_TEXT * 2].encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else " " for c in plain).strip()[:LONGEST_TEXT]


def scalars(document: object) -> dict[str, str | int]:
    """Return the top-level texts and whole numbers of a document, by name."""
    fields = _fields(document) or {}
    return {
        key: value
        for key, value in fields.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    }


def _fields(document: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", document) if type(document) is dict else None


def _fails(fields: Mapping[str, object]) -> bool:
    if fields.get("success") is False or fields.get("error"):
        return True
    if any(_is_failure(fields.get(key)) for key in _KINDS):
        return True
    nested = _fields(fields.get("result"))
    if nested is not None and _is_failure(nested.get("status")):
        return True
    status = fields.get("status")
    if isinstance(status, int) and status >= _FIRST_BAD_STATUS:
        return True
    return any(_is_bad_code(fields.get(key)) for key in _CODES)


def _is_failure(value: object) -> bool:
    return isinstance(value, str) and value.casefold() in _FAILURES


def _is_bad_code(value: object) -> bool:
    code = int(value) if isinstance(value, str) and _CODE.fullmatch(value) else value
    return type(code) is int and code not in _FINE


def _words(fields: Mapping[str, object]) -> Iterator[str]:
    for key in _WORDS:
        value = fields.get(key)
        if isinstance(value, str) and value.strip():
            yield value.strip()
        elif (nested := _fields(value)) is not None:
            yield from _words(nested)


def _texts(document: object) -> Iterator[str]:
    """Yield a document's texts, nearest first, as far as is worth looking."""
    level: list[object] = [document]
    left = _MOST_VALUES
    for _ in range(_DEEPEST):
        deeper: list[object] = []
        for value in level[:left]:
            if isinstance(value, str):
                yield value
            elif type(value) is dict:
                deeper.extend(cast("Mapping[str, object]", value).values())
            elif type(value) is list:
                deeper.extend(cast("list[object]", value))
        left -= len(level)
        level = deeper
        if left <= 0:
            return


def _cleaned(document: object) -> dict[str, object]:
    pairs = list(scalars(document).items())[:10]
    return {
        clean(key): clean(value) if isinstance(value, str) else value
        for key, value in pairs
    }
