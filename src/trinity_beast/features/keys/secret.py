"""Secrets: how a key reads, and how a mistyped one is told without a lookup.

``tb_live_`` + 32 random base62 characters (190 bits) + the CRC-32 of all that in six
base62 characters.  CRC-32 finds every error within 32 bits, so every wrong character
and every swap of two neighbours; writing it in base62 keeps that, even for a swap where
body and checksum meet, since no CRC differs from another by what such a swap needs.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import Protocol

LIVE_PREFIX = "tb_live_"
ELLIPSIS = "…"
"""Stands for what a display form leaves out; no secret contains it."""

BODY_LENGTH = 32
CHECK_LENGTH = 6
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Bytes at and above the largest multiple of 62 would make some letters likelier.
_FAIR_BYTES = 256 - 256 % len(_ALPHABET)
_TAIL = re.compile(rf"[0-9A-Za-z]{{{BODY_LENGTH + CHECK_LENGTH}}}")
_OTHER = re.compile(r"[!-~]{8,200}")
_KNOWN_PREFIX = re.compile(r"[a-z]{2,3}_(?:live|test|admin)_")
_SHOWN_END = 4
_SHORTEST_TO_SHOW_ENDS = 16


class RandomBytes(Protocol):
    """Bytes fit for secrets; the port of randomness has them."""

    def token_bytes(self, count: int) -> bytes:
        """Return ``count`` random bytes."""
        ...


def new_secret(randomness: RandomBytes, prefix: str = LIVE_PREFIX) -> str:
    """Return a new secret with 190 random bits.

    Args:
        randomness: Fit for secrets.
        prefix: Tells what the secret is for.
    """
    body = ""
    while len(body) < BODY_LENGTH:
        drawn = randomness.token_bytes(BODY_LENGTH)
        body += "".join(_ALPHABET[b % 62] for b in drawn if b < _FAIR_BYTES)
    body = body[:BODY_LENGTH]
    return prefix + body + _check_of(prefix + body)


def is_ours(secret: str, prefix: str = LIVE_PREFIX) -> bool:
    """Tell whether a text has the shape of ``new_secret`` and the right checksum."""
    tail = secret[len(prefix) :]
    if not secret.startswith(prefix) or not _TAIL.fullmatch(tail):
        return False
    return _check_of(secret[:-CHECK_LENGTH]) == secret[-CHECK_LENGTH:]


def is_well_formed(secret: str) -> bool:
    """Tell whether a text could be the key of somebody.

    ``tb_live_`` keys need the right checksum, and a text that is such a key but for a
    slip in its prefix is refused too.  Keys of other shapes come from older databases:
    8 to 200 visible ASCII characters.
    """
    if secret.startswith(LIVE_PREFIX):
        return is_ours(secret)
    return _OTHER.fullmatch(secret) is not None and not _is_slip(secret)


def hash_of(secret: str) -> str:
    """Return what a key is stored and found by: lower-case hex SHA-256."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def display_form(secret: str) -> str:
    """Return ``tb_live_ABCD…wxyz``: enough to recognise a key, not to use it.

    Of a short key at most an eighth is shown at either end.
    """
    known = _KNOWN_PREFIX.match(secret)
    prefix = known.group() if known else ""
    body = secret[len(prefix) :]
    end = _SHOWN_END if len(body) >= _SHORTEST_TO_SHOW_ENDS else len(body) // 8
    return prefix + body[:end] + ELLIPSIS + body[len(body) - end :]


def _is_slip(secret: str) -> bool:
    length = len(LIVE_PREFIX)
    if len(secret) != length + BODY_LENGTH + CHECK_LENGTH:
        return False
    swapped = secret[: length - 1] + secret[length] + secret[length - 1]
    return is_ours(LIVE_PREFIX + secret[length:]) or is_ours(
        swapped + secret[length + 1 :],
    )


def _check_of(text: str) -> str:
    crc = zlib.crc32(text.encode("ascii"))
    digits = ""
    for _ in range(CHECK_LENGTH):
        crc, digit = divmod(crc, 62)
        digits = _ALPHABET[digit] + digits
    return digits
