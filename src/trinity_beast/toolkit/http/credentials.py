"""Where a key may stand in a request, and where not.

A key in a URL ends up in logs, histories and Referer headers, so one that is sent there
is refused even when it would be right: its owner should hear of it at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Scope

from trinity_beast.kernel.errors import Invalid
from trinity_beast.toolkit.http.requests import header_of

KEY_PREFIXES = ("tb_live_", "ak_live_")
KEY_PARAMETERS = frozenset(
    {
        "access_token",
        "api_key",
        "api_key_id",
        "api-key",
        "apikey",
        "authorization",
        "bearer",
        "key",
        "secret",
        "token",
        "x-api-key",
    },
)
_BEARER = "bearer"


class KeyInQuery(Invalid):
    """A key was sent in the query string."""

    template = (
        "A key must not stand in the URL; send it as 'Authorization: Bearer' or"
        " 'X-API-Key'."
    )


class KeysDiffer(Invalid):
    """Two headers name two different keys."""

    template = "The headers Authorization and X-API-Key hold different keys."


def secret_of(scope: Scope) -> str:
    """Return the key that a request was sent with, or an empty text.

    Raises:
        HeaderRepeated: One of the two headers comes more than once.
        KeysDiffer: Both are there and do not agree.
    """
    scheme, _, credentials = (header_of(scope, "authorization") or "").partition(" ")
    bearer = credentials.strip() if scheme.lower() == _BEARER else ""
    plain = header_of(scope, "x-api-key") or ""
    if bearer and plain and bearer != plain:
        raise KeysDiffer
    return bearer or plain


def check_no_key_in(query: Mapping[str, str]) -> None:
    """Refuse a query string that holds a key, or seems to.

    Raises:
        KeyInQuery: A parameter is named like one for keys, or looks like a key.
    """
    for name, value in query.items():
        if name.lower() in KEY_PARAMETERS or _looks_like_key(name, value):
            raise KeyInQuery


def _looks_like_key(name: str, value: str) -> bool:
    return any(prefix in name or prefix in value for prefix in KEY_PREFIXES)
