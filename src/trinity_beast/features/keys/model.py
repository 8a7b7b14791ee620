"""What a key is, and what a tier starts with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

ResponseFormat = Literal["tbc", "plain"]
Storage = Literal["sealed", "plaintext"]

FREE = "free"
UNLIMITED_QUERIES = 999_999_999
"""A ``query_limit`` of this, or more, means that there is no monthly limit."""

NO_LIMIT_TIERS = frozenset({"partner", "webhook_partner"})
"""Tiers whose zeros mean "no limit"; anywhere else a zero is a zero."""

DICTIONARY_TIERS = frozenset(
    {
        "free",
        "pro",
        "enterprise",
        "unlimited",
        "lifetime",
        "partner",
        "webhook_starter",
        "webhook_standard",
        "webhook_professional",
        "webhook_enterprise",
        "webhook_partner",
    }
)
"""Tiers that exist whatever ``rate_limit_template`` holds; others need a row there."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a key of a tier starts with.

    Attributes:
        tier: Its name.
        query_limit: Answered requests a calendar month.
        rate_limit_qps: Tokens a second.
        burst_limit: Depth of the bucket, in tokens.
        minimum_wait_ms: The least that a throttled caller is asked to wait.
    """

    tier: str
    query_limit: int
    rate_limit_qps: int
    burst_limit: int
    minimum_wait_ms: int


FREE_TEMPLATE = Template(FREE, 1000, 1, 5, 1000)
"""The free tier, should its row be missing.  Source: data dictionary 1.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as its row says; the secret itself is not part of it.

    Attributes:
        id: Of the row.
        user_id: Whose it is; None in some rows of older databases.
        key_hash: Lower-case hex SHA-256 of the secret, by which requests find it.  It
            signs datagrams, so it is a secret too.
        name: What its owner calls it.
        tier: Subscription tier, as stored.
        tier_known: Whether there is such a tier.
        query_limit: Answered requests a month; see ``UNLIMITED_QUERIES``.
        current_usage: Answered requests of the month in which it was last used.
        last_used_ns: When it was last used, as far as the row knows.
        created_at_ns: When it was issued.
        rate_limit_qps: Tokens a second.
        burst_limit: Depth of the bucket, in tokens.
        minimum_wait_ms: The least that a throttled caller is asked to wait.
        revoked: Refused for good.
        lrs_enabled: Reports without a limit.
        response_format: Format of answers unless the request says otherwise.
        subscription_status: ``active``, ``past_due`` or ``canceled``.
        payment_failed_at_ns: First failed payment, from which grace is counted.
        tier_effective_at_ns: When the tier took or takes effect; for a canceled
            subscription the end of what was paid.
        shown: Display form, safe to print.
    """

    id: UUID
    user_id: UUID | None
    key_hash: str = field(repr=False)
    name: str | None
    tier: str
    tier_known: bool = True
    query_limit: int
    current_usage: int
    last_used_ns: int | None
    created_at_ns: int
    rate_limit_qps: int
    burst_limit: int
    minimum_wait_ms: int
    revoked: bool
    lrs_enabled: bool
    response_format: ResponseFormat
    subscription_status: str
    payment_failed_at_ns: int | None
    tier_effective_at_ns: int | None
    shown: str

    @property
    def place(self) -> KeyPlace:
        """Return where it stands in the list of keys."""
        return KeyPlace(self.created_at_ns, self.id)


@dataclass(frozen=True, slots=True, order=True)
class KeyPlace:
    """A place in the list of keys, for asking what comes after it."""

    created_at_ns: int
    id: UUID


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key at the one moment when its secret is known.

    Attributes:
        key: As stored.
        secret: What the caller sends; it is not kept anywhere.
    """

    key: ApiKey
    secret: str = field(repr=False)
