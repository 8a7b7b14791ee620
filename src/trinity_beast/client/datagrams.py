"""Questions over UDP: one datagram there, one back.

Plain datagrams hold the key, for networks that nobody else listens to.  Signed ones
prove it without showing it, so they are what is sent unless told otherwise; answers
are not signed.  Source: the server's UDP protocol, forms ``KEY ASSETS ID`` and ``TB1``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, cast

from trinity_beast.client.answers import (
    Fields,
    batch_of,
    error_in,
    price_of,
    read_object,
)
from trinity_beast.client.credentials import Credentials
from trinity_beast.client.effects import Exchange, Flow, Lost
from trinity_beast.client.errors import (
    BY_CODE,
    AnswerUnreadable,
    BeastError,
    InvalidRequest,
    NotFound,
    TimedOut,
    TooManyAssets,
    Unavailable,
    UnknownKey,
    Unreachable,
    kind_of,
)
from trinity_beast.client.options import Options, Surroundings
from trinity_beast.client.prices import Batch, Failure, Price

MOST_ASSETS = 8
_TRIES = 2
_ASSET = re.compile(r"[A-Za-z0-9]{1,20}")
_CUT_ERROR = re.compile(r'\{"error":"([a-z_]*)')
_NONCE_BYTES = 8


class _Question(NamedTuple):
    assets: str
    signed: bool


class UdpAsking:
    """Asks questions over UDP.

    Args:
        credentials: The key.
        options: How long to wait.
        around: Time and chance.
    """

    def __init__(
        self,
        credentials: Credentials,
        options: Options,
        around: Surroundings,
    ) -> None:
        self._credentials = credentials
        self._options = options
        self._around = around

    def price(self, asset: str, *, signed: bool) -> Flow[Price]:
        """Ask for the price of one asset."""
        fields = yield from self._ask(_Question(_named([asset]), signed))
        return price_of(fields)

    def prices(self, assets: Sequence[str], *, signed: bool) -> Flow[Batch]:
        """Ask for the prices of several assets."""
        names = _named(assets)
        try:
            fields = yield from self._ask(_Question(names, signed))
        except (NotFound, Unavailable) as error:
            # A batch of one is answered like the one asset that it is.
            if "," in names:
                raise
            return Batch((Failure(names, error),))
        return batch_of(fields) if "prices" in fields else Batch((price_of(fields),))

    def _ask(self, question: _Question) -> Flow[Fields]:
        """Ask, and once more with a new nonce when no answer comes."""
        lost = Lost("")
        for _ in range(_TRIES):
            exchange = self._exchange(question)
            outcome = cast("bytes | Lost", (yield exchange))
            if isinstance(outcome, bytes):
                return _told(outcome)
            lost = outcome
        raise (TimedOut if lost.too_late else Unreachable)(lost.reason)

    def _exchange(self, question: _Question) -> Exchange:
        around, assets = self._around, question.assets
        tag = around.token_hex(_NONCE_BYTES)
        if question.signed:
            datagram = self._credentials.signed(assets, around.unix_ms(), tag)
        else:
            datagram = self._credentials.plain(f"{assets} {tag}")
        return Exchange(datagram, _fits(tag), self._options.udp_timeout_s)


def _named(assets: Iterable[str]) -> str:
    """Return the assets as they stand in a datagram.

    Raises:
        TooManyAssets: A datagram takes fewer.
        InvalidRequest: There are none, or one would be read as something else.
    """
    names = list(dict.fromkeys(asset.strip(" ").upper() for asset in assets))
    if len(names) > MOST_ASSETS:
        raise TooManyAssets(f"A datagram may name at most {MOST_ASSETS} assets.")
    if not names or not all(_ASSET.fullmatch(name) for name in names):
        raise InvalidRequest("Assets are named by 1 to 20 letters and digits.")
    return ",".join(names)


def _fits(tag: str) -> Callable[[bytes], bool]:
    """Return what tells our answer from one to another question.

    Signed questions have no id, and early refusals need not repeat one; what comes to
    our own socket without an id is therefore ours.
    """

    def fits(datagram: bytes) -> bool:
        try:
            return read_object(datagram).get("id", tag) == tag
        except AnswerUnreadable:
            return _CUT_ERROR.match(_text(datagram)) is not None

    return fits


def _told(datagram: bytes) -> Fields:
    """Return the object of an answer that is no error.

    Raises:
        BeastError: It is one.
    """
    try:
        fields = read_object(datagram)
    except AnswerUnreadable:
        raise _cut_error(_text(datagram)) from None
    if "error" in fields:
        raise error_in(fields)
    return fields


def _cut_error(text: str) -> BeastError:
    """Return the error of an answer that was cut to the size of its question.

    That happens before the key is proven, so an unknown key is the likeliest.
    """
    found = _CUT_ERROR.match(text)
    start = found[1] if found else ""
    if UnknownKey.default_code.startswith(start):
        return UnknownKey("This key is not known.")
    code = next((code for code in BY_CODE if code.startswith(start)), start)
    return kind_of(code)(code.replace("_", " "), code=code)


def _text(datagram: bytes) -> str:
    return datagram.decode("utf-8", "replace")
