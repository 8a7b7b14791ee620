"""A slot: the one object that a process keeps for a key while it is in use."""

from __future__ import annotations

from trinity_beast.features.keys.model import ApiKey
from trinity_beast.features.keys.terms import Terms


class KeySlot:
    """A key that this process knows, changed in place when its row changes.

    Whoever keeps a slot, for a memo of requests or across an await, sees every change:
    a key has one slot in a process for as long as anybody holds it.

    Attributes:
        key_hash: By which requests find it.
        key: What the row said when it was last read.
        revoked: Refuse, whatever else: the key was revoked, or its row is gone.
        terms: Terms that were last worked out, or None; ask ``KeyRing.terms_of``.
        renewals: How often the row was read again.
        lowerings: How often the row's ``current_usage`` was set back by somebody.
        state: Place for what the limits keep of this key.
    """

    __slots__ = (
        "__weakref__",
        "key",
        "key_hash",
        "lowerings",
        "renewals",
        "revoked",
        "state",
        "terms",
    )

    def __init__(self, key_hash: str, key: ApiKey) -> None:
        self.key_hash = key_hash
        self.key = key
        self.revoked = key.revoked
        self.terms: Terms | None = None
        self.renewals = 0
        self.lowerings = 0
        self.state: object = None

    def renew(self, key: ApiKey, *, lowered: bool) -> None:
        """Take over what the row says now.

        Args:
            key: As it was just read.
            lowered: Somebody set ``current_usage`` back.
        """
        self.key = key
        self.revoked = key.revoked
        self.terms = None
        self.renewals += 1
        self.lowerings += lowered

    def retire(self) -> None:
        """Refuse from now on: no row answers to this hash any more."""
        self.revoked = True
        self.renewals += 1
