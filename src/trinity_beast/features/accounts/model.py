"""What an account is, and which texts are e-mail addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from trinity_beast.features.accounts.errors import InvalidEmail

_LONGEST = 254
_LONGEST_LOCAL = 64
_LOCAL = re.compile(r"[^\s\x00-\x1f\x7f\"(),.:;<>@\[\\\]]+")
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")


@dataclass(frozen=True, slots=True)
class User:
    """A person who subscribed or donated.

    Attributes:
        id: Of the account.
        email: Where letters go; unique.
        name: What to call the person, or None.
        tier: Current subscription tier, or None before there was one.
        preferred_lang: Language code such as ``de``, or None.
        created_at_ns: When the account came into being.
    """

    id: UUID
    email: str
    name: str | None
    tier: str | None
    preferred_lang: str | None
    created_at_ns: int


def normalised_email(text: str) -> str:
    """Return an address as it is stored: trimmed, the domain in lower case.

    The part before the @ keeps its case, since only its own server knows whether case
    matters there.  Quoted local parts and bare host names are refused: nobody has them,
    and a typo often looks like one.  Lengths as in RFC 5321, section 4.5.3.1.

    Raises:
        InvalidEmail: No letter can be sent to this.
    """
    address = text.strip()
    local, at, domain = address.rpartition("@")
    problem = _problem(address, local, domain) if at else "it has no @"
    if problem:
        raise InvalidEmail(problem=problem)
    return f"{local}@{domain.lower()}"


def _problem(address: str, local: str, domain: str) -> str:
    if len(address) > _LONGEST:
        return f"it is longer than {_LONGEST} characters"
    if len(local) > _LONGEST_LOCAL:
        return f"more than {_LONGEST_LOCAL} characters stand before the @"
    parts = local.split(".")
    if not local.isprintable() or not all(map(_LOCAL.fullmatch, parts)):
        return "what stands before the @ cannot be there"
    labels = domain.split(".")
    if len(labels) == 1 or not all(_LABEL.fullmatch(label) for label in labels):
        return "what stands after the @ is no domain"
    return ""
