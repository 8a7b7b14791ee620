"""The key: kept in one place, and never shown."""

from __future__ import annotations

import hashlib
import hmac
import re

from trinity_beast.client.errors import MissingKey, UnknownKey

_KEY = re.compile(r"[!-~]{1,200}")
_ID_HEX = 16
_MAC_HEX = 32


class Credentials:
    """An API key and what is made with it.

    A text that cannot be a key is refused at once: a line break in it would
    otherwise reach an error of the HTTP library, and with it a log.

    Raises:
        MissingKey: It is empty.
        UnknownKey: No key reads like this.
    """

    def __init__(self, key: str) -> None:
        trimmed = key.strip()
        if not trimmed:
            raise MissingKey("Prices need a key.")
        if not _KEY.fullmatch(trimmed):
            raise UnknownKey("A key is visible ASCII characters without spaces.")
        self._key = trimmed
        self._digest = hashlib.sha256(trimmed.encode("ascii"))

    def __repr__(self) -> str:
        """Return a text without the key."""
        return "Credentials()"

    def headers(self) -> dict[str, str]:
        """Return what proves the key over HTTP."""
        return {"Authorization": f"Bearer {self._key}"}

    def plain(self, question: str) -> bytes:
        """Return a datagram that holds the key itself."""
        return f"{self._key} {question}".encode("ascii")

    def signed(self, question: str, unix_ms: int, nonce: str) -> bytes:
        """Return a datagram that proves the key without holding it.

        Args:
            question: The assets, separated by commas.
            unix_ms: The present; the server accepts 30 s to either side.
            nonce: 16 hex digits that were never used before.
        """
        key_id = self._digest.hexdigest()[:_ID_HEX]
        told = f"TB1 {key_id} {unix_ms} {nonce} {question}"
        made = hmac.new(self._digest.digest(), told.encode("ascii"), hashlib.sha256)
        return f"{told} {made.hexdigest()[:_MAC_HEX]}".encode("ascii")
