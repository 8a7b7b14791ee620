"""How datagrams read: the plain form, the signed form, and errors.

* plain: ``KEY ASSET[,ASSET…][ REQUEST_ID]``
* signed: ``TB1 KEYID UNIX_MS NONCE ASSETS MAC``, where KEYID is the first 16 hex
  digits of ``key_hash``, NONCE is 16 hex digits of the caller's choice, and MAC the
  first 32 of the HMAC-SHA256, by the 32 bytes of ``key_hash``, of all that stands
  before it without the last space.  So the key never crosses the network.

One line feed at the end, also after a carriage return, is not part of a datagram, so
that it can be typed into ``nc -u``.  Pure: bytes in, values out.
"""

from __future__ import annotations

import hmac
import re
import string
from typing import NamedTuple

from trinity_beast.features.keys import KEY_ID_LENGTH
from trinity_beast.features.prices.errors import AssetMissing, TooManyAssets
from trinity_beast.features.prices.model import asset_named
from trinity_beast.kernel.errors import BeastError, Invalid, Throttled
from trinity_beast.toolkit.http.problems import PayloadTooLarge, code_of

MOST_BYTES = 1_200
"""Bytes of a datagram, there and back."""

MOST_ASSETS = 8
"""Different assets that a datagram may name."""

WINDOW_MS = 30_000
"""How far a signed datagram's clock may be from ours, either way."""

MAC_LENGTH = 32

_SIGNED = re.compile(
    rb"(TB1 ([0-9a-f]{%d}) ([0-9]{1,15}) ([0-9A-Fa-f]{16}) ([^ ]*)) ([0-9A-Fa-f]{%d})"
    % (KEY_ID_LENGTH, MAC_LENGTH),
)
_PREFIX = b"TB1 "
_KEY = re.compile(rb"[!-~]{8,200}")
_ID_LETTERS = (string.ascii_letters + string.digits + "_-").encode("ascii")
_ID_LENGTH = 32
_HASH = re.compile(r"[0-9a-f]{64}")


class IdInvalid(Invalid):
    """The request id is none."""

    template = "A request id has up to 32 letters, digits, '_' and '-'."


class DatagramUnreadable(Invalid):
    """The datagram has neither of the two forms."""

    template = "Send 'KEY ASSET[,ASSET...][ ID]', or the signed form."


class Question(NamedTuple):
    """What is asked for.

    Attributes:
        assets: Each once, in the order asked.
        is_batch: The answer is a list: a comma was sent.
        request_id: Comes back with the answer; empty when there is none.
        fault: What is wrong with the question; told once the key is proven.
    """

    assets: tuple[str, ...] = ()
    is_batch: bool = False
    request_id: bytes = b""
    fault: BeastError | None = None


class Plain(NamedTuple):
    """A datagram with the key in it.

    Attributes:
        secret: The key.
        question: What is asked for.
        start: The datagram without its request id; empty when it is not exactly that.
    """

    secret: str
    question: Question
    start: bytes


class Signed(NamedTuple):
    """A datagram that proves its key without showing it.

    Attributes:
        key_id: Start of the key's hash.
        sent_ms: When it was signed, by the caller's clock.
        nonce: A number that the caller uses once.
        assets: What is asked for, as it was written.
        signed: The bytes that are signed.
        mac: The signature, in lower case.
    """

    key_id: str
    sent_ms: int
    nonce: int
    assets: bytes
    signed: bytes
    mac: bytes

    @property
    def question(self) -> Question:
        """What is asked for."""
        return _question([self.assets])

    def is_signed_by(self, key_hash: str) -> bool:
        """Tell whether the key with this hash made the signature."""
        if not _HASH.fullmatch(key_hash):
            return False
        return hmac.compare_digest(mac_of(self.signed, key_hash), self.mac)


def mac_of(signed: bytes, key_hash: str) -> bytes:
    """Return the signature of bytes by the key with this hash, as hex digits."""
    digest = hmac.digest(bytes.fromhex(key_hash), signed, "sha256")
    return digest.hex()[:MAC_LENGTH].encode("ascii")


def read_datagram(datagram: bytes) -> Plain | Signed:
    """Return what a datagram says.

    What is wrong with its question alone is not raised but in the question's
    ``fault``, to be told once the key is proven.

    Raises:
        PayloadTooLarge: It is too long.
        DatagramUnreadable: It has neither of the two forms.
    """
    if len(datagram) > MOST_BYTES:
        raise PayloadTooLarge(most_bytes=MOST_BYTES)
    line = datagram
    if line.endswith(b"\n"):
        line = line[:-1].removesuffix(b"\r")
    if line.startswith(_PREFIX):
        return _signed(line)
    secret, *rest = line.split(b" ")
    if not _KEY.fullmatch(secret):
        raise DatagramUnreadable
    start = b"" if line is not datagram else b" ".join([secret, *rest[:1]])
    return Plain(secret.decode("ascii"), _question(rest), start)


def is_request_id(text: bytes) -> bool:
    """Tell whether a text may be a request id."""
    return 0 < len(text) <= _ID_LENGTH and not text.translate(None, _ID_LETTERS)


def error_answer(error: BeastError, request_id: bytes = b"") -> bytes:
    """Return an error as an answer."""
    told = f'"error":"{code_of(error)}"'
    if isinstance(error, Throttled):
        told += f',"retry_after_ms":{error.retry_after_ms}'
    return with_id(b"{" + told.encode("ascii") + b"}", request_id)


def with_id(answer: bytes, request_id: bytes) -> bytes:
    """Return an answer with the id of its request as the first member."""
    if not request_id:
        return answer
    return b'{"id":"' + request_id + b'",' + answer[1:]


def _signed(line: bytes) -> Signed:
    found = _SIGNED.fullmatch(line)
    if found is None:
        raise DatagramUnreadable
    signed, key_id, sent_ms, nonce, assets, mac = found.groups()
    return Signed(
        key_id.decode("ascii"),
        int(sent_ms),
        int(nonce, 16),
        assets,
        signed,
        mac.lower(),
    )


def _question(words: list[bytes]) -> Question:
    """Return what is asked for by the words after the key."""
    text, *ids = words or [b""]
    request_id = ids[0] if ids else b""
    if len(ids) > 1 or (ids and not is_request_id(request_id)):
        return Question(fault=IdInvalid())
    names = [name for name in text.decode("ascii", "replace").split(",") if name]
    assets = tuple(dict.fromkeys(map(asset_named, names)))
    fault: BeastError | None = None
    if not assets:
        fault = AssetMissing()
    elif len(assets) > MOST_ASSETS:
        # They are not named in the record either: there is no end to them.
        assets, fault = (), TooManyAssets(most=MOST_ASSETS)
    return Question(assets, b"," in text, request_id, fault)
