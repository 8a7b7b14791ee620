"""One wording for what can be written in several ways, so that texts can be compared.

PostgreSQL prints what it stored in its own words: casts, long type names, parentheses.
"""

from __future__ import annotations

import re
from decimal import Decimal

_TYPES = (
    ("timestamp with time zone", "timestamptz"),
    ("character varying", "varchar"),
)
_COUNTING = "auto-increment"
_SERIALS = {"serial": "integer", "bigserial": "bigint"}
_CAST_LITERAL = re.compile(r"\(?'((?:[^']|'')*)'\)?::[a-z ]+(?:\([0-9]+\))?")
_CAST_NULL = re.compile(r"NULL::[a-z ]+(?:\([0-9]+\))?", re.IGNORECASE)
_CAST_CALL = re.compile(r"\((.+)\)::[a-z ]+", re.IGNORECASE)
_NUMBER = re.compile(r"'?\(?(-?[0-9]+(?:\.[0-9]+)?)\)?'?(?:::[a-z ]+)?")
_SAME = {
    "current_timestamp": "now()",
    "date_part('month'::text, now())": "extract(month from now())",
}
_ONE_OF = re.compile(
    r"CHECK \(\(+\"?(?P<column>\w+)\"?\)?(?:::\w+)? = ANY \(+ARRAY\[(?P<texts>.*)\]"
    r"(?:\)::[\w ]+\[\])?\)+",
)
_TEXT = re.compile(r"'((?:[^']|'')*)'")


def plain_type(text: str) -> str:
    """Return a type in the dictionary's words: ``varchar(5)``, ``timestamptz``."""
    for long, short in _TYPES:
        text = text.replace(long, short)
    return text


def plain_default(kind: str, text: str | None) -> str:
    """Return a default without casts, or an empty text for none.

    Args:
        kind: The column's type, for numbers may be written as texts.
        text: SQL as PostgreSQL prints it, or as the dictionary writes it.
    """
    if text is None or _CAST_NULL.fullmatch(text):
        return ""
    if text.startswith("nextval("):
        return _COUNTING
    number = _NUMBER.fullmatch(text)
    if number and kind in {"integer", "bigint", "numeric", "double precision"}:
        return format(Decimal(number[1]).normalize(), "f")
    literal = _CAST_LITERAL.fullmatch(text)
    if literal:
        return f"'{literal[1]}'"
    return text if text.startswith("'") else _plain_call(text)


def column_words(kind: str, default: str | None, *, nullable: bool) -> str:
    """Return a column in words: ``text not null default 'free'``."""
    counting = kind in _SERIALS
    plain = plain_type(_SERIALS.get(kind, kind))
    words = [plain] if nullable else [plain, "not null"]
    default = _COUNTING if counting else plain_default(plain, default)
    if default:
        words.append(default if default == _COUNTING else f"default {default}")
    return " ".join(words)


def index_words(columns: tuple[str, ...], where: str | None) -> str:
    """Return an index in words: ``(a, b) where c IS NOT NULL``."""
    return f"({', '.join(columns)})" + (f" where {where}" if where else "")


def reference_words(table: str, action: str) -> str:
    """Return a foreign key in words: ``users (id) on delete cascade``."""
    return f"{table} (id)" + (f" on delete {action}" if action else "")


def check_words(definition: str) -> tuple[str, str] | None:
    """Return the column and the words of a check that allows some texts only.

    Args:
        definition: As PostgreSQL prints it.

    Returns:
        None if it is another kind of check.
    """
    match = _ONE_OF.fullmatch(definition)
    if match is None:
        return None
    return match["column"], one_of_words(tuple(_TEXT.findall(match["texts"])))


def one_of_words(texts: tuple[str, ...]) -> str:
    """Return the texts that are allowed; their order means nothing."""
    return f"one of {', '.join(sorted(texts))}"


def _plain_call(text: str) -> str:
    call = _CAST_CALL.fullmatch(text)
    plain = (call[1] if call else text).lower()
    return _SAME.get(plain, plain)
