"""What can go wrong with keys."""

from __future__ import annotations

from trinity_beast.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unknown


class MissingKey(Unknown):
    """The request carries no key at all."""

    code = "missing_key"
    template = (
        "Send your key in the header 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."
    )


class KeyUnknown(Unknown):
    """No key reads like this one."""

    code = "unknown_key"
    template = "This key is not known; check it for typing mistakes."


class KeyRevoked(Forbidden):
    """There was such a key, and it was revoked for good."""

    code = "revoked_key"
    template = "This key has been revoked."


class KeyNotFound(NotFound):
    """An operator named a key that is not there."""

    template = "There is no such key."


class KeyAmbiguous(Conflict):
    """An operator's short form fits several keys."""

    template = "{count} keys look like this; name one by its id: {ids}."


class UnknownTier(Invalid):
    """No tier has this name."""

    template = "There is no tier '{tier}'; the tiers are {tiers}."


class UnknownFormat(Invalid):
    """Answers have one of two formats."""

    template = "There is no format '{response_format}'; use tbc or plain."
