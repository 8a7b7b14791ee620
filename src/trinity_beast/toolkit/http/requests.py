"""Reading requests strictly: what is ambiguous or broken is refused, never guessed."""

from __future__ import annotations

import json
import re
from typing import Never, cast
from urllib.parse import unquote_to_bytes

from starlette.types import Receive, Scope

from trinity_beast.kernel.errors import Invalid

_SHOWN_CHARACTERS = 40
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_JSON_TYPE = re.compile(
    r"application/(?:[\w.+-]+\+)?json\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?",
    re.IGNORECASE,
)


class ClientGone(Exception):
    """The client hung up before its request was whole: nobody is left to answer."""


class ParameterRepeated(Invalid):
    """A parameter was given twice; which one is meant is not ours to say."""

    template = "The parameter {parameter} is given more than once."


class ParameterInvalid(Invalid):
    """A parameter's value breaks its rule."""

    template = "The parameter {parameter} is not valid: {rule}."


class HeaderRepeated(Invalid):
    """A header that must stand alone was given twice."""

    template = "The header {header} is given more than once."


class QueryUnreadable(Invalid):
    """The query string is no percent-encoded UTF-8."""

    template = "The query string is not valid percent-encoded UTF-8."


class BodyUnreadable(Invalid):
    """The body is not a JSON object in UTF-8."""

    template = "The body is not a valid JSON object in UTF-8."


class ContentTypeWrong(Invalid):
    """The body is announced as something that this path does not take."""

    template = "The body must be sent as application/json."


def quoted(text: str) -> str:
    """Return a client's text so that it can be shown: ASCII, and not much of it."""
    return text[:_SHOWN_CHARACTERS].encode("ascii", "backslashreplace").decode()


def query_of(scope: Scope) -> dict[str, str]:
    """Return the parameters of the query string.

    Raises:
        QueryUnreadable: An escape is broken, or the text is not UTF-8.
        ParameterRepeated: A name comes twice.
    """
    raw: bytes = scope["query_string"]
    query: dict[str, str] = {}
    if not raw:
        return query
    if _BROKEN_ESCAPE.search(raw):
        raise QueryUnreadable
    for pair in raw.split(b"&"):
        name, _, value = pair.partition(b"=")
        if not pair:
            continue
        key = _decoded(name)
        if key in query:
            raise ParameterRepeated(parameter=quoted(key))
        query[key] = _decoded(value)
    return query


def _decoded(raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise QueryUnreadable from error


def header_of(scope: Scope, name: str) -> str | None:
    """Return the value of a header that may come once, or None.

    Args:
        scope: The request.
        name: The header's name in lower case.

    Raises:
        HeaderRepeated: It comes more than once.
    """
    wanted = name.encode("ascii")
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    values = [value for key, value in headers if key == wanted]
    if len(values) > 1:
        raise HeaderRepeated(header=name)
    return values[0].decode("latin-1").strip() if values else None


async def body_of(receive: Receive) -> bytes:
    """Return the whole body.

    Raises:
        PayloadTooLarge: By the `BodyLimit` around the application.
        ClientGone: The connection ended first.
    """
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def json_object_of(scope: Scope, body: bytes) -> dict[str, object]:
    """Return the JSON object that a body is.

    Stricter than Python's reader: no ``NaN``, no ``Infinity``, no member twice.

    Raises:
        ContentTypeWrong: It is announced as something else than JSON in UTF-8.
        BodyUnreadable: It is no JSON object.
        ParameterRepeated: A member comes twice in one object.
    """
    content_type = header_of(scope, "content-type")
    if content_type and not _JSON_TYPE.fullmatch(content_type):
        raise ContentTypeWrong
    try:
        value: object = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refused,
        )
    except (ValueError, RecursionError) as error:
        raise BodyUnreadable from error
    if not isinstance(value, dict):
        raise BodyUnreadable
    return cast("dict[str, object]", value)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise ParameterRepeated(parameter=quoted(name))
        members[name] = value
    return members


def _refused(_: str) -> Never:
    raise BodyUnreadable
