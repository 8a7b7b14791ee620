"""API keys: who may ask, and how much.

A key is shown once, when it is issued; we keep its SHA-256 and a display form, so a
stolen database cannot ask for prices.  A mistyped key is told by its checksum without a
lookup.  Keys of an older database, kept plain there, work unchanged until they are
sealed.  Revoking is final, and revoking twice is not an error.

Each process keeps the keys that it has seen on a ring and follows changes of their
rows, so a revocation works on the next request and known keys work while the database
is away.

Owns: api_keys, rate_limit_template.   Source: data dictionary 1.1, 1.2.
"""

from __future__ import annotations

from trinity_beast.features.keys.errors import (
    KeyAmbiguous,
    KeyNotFound,
    KeyRevoked,
    KeyUnknown,
    MissingKey,
    UnknownFormat,
    UnknownTier,
)
from trinity_beast.features.keys.model import (
    FREE_TEMPLATE,
    NO_LIMIT_TIERS,
    UNLIMITED_QUERIES,
    ApiKey,
    IssuedKey,
    KeyPlace,
    ResponseFormat,
    Storage,
    Template,
)
from trinity_beast.features.keys.ring import (
    DEFAULT_BOUNDS,
    KEY_ID_LENGTH,
    KeyRing,
    KeySource,
    RingBounds,
)
from trinity_beast.features.keys.secret import (
    LIVE_PREFIX,
    display_form,
    hash_of,
    is_ours,
    is_well_formed,
    new_secret,
)
from trinity_beast.features.keys.seeds import tier_seeds
from trinity_beast.features.keys.service import KeyService
from trinity_beast.features.keys.slot import KeySlot
from trinity_beast.features.keys.terms import (
    FOREVER_NS,
    Terms,
    terms_of,
    used_this_month,
)

__all__ = [
    "DEFAULT_BOUNDS",
    "FOREVER_NS",
    "FREE_TEMPLATE",
    "KEY_ID_LENGTH",
    "LIVE_PREFIX",
    "NO_LIMIT_TIERS",
    "UNLIMITED_QUERIES",
    "ApiKey",
    "IssuedKey",
    "KeyAmbiguous",
    "KeyNotFound",
    "KeyPlace",
    "KeyRevoked",
    "KeyRing",
    "KeyService",
    "KeySlot",
    "KeySource",
    "KeyUnknown",
    "MissingKey",
    "ResponseFormat",
    "RingBounds",
    "Storage",
    "Template",
    "Terms",
    "UnknownFormat",
    "UnknownTier",
    "display_form",
    "hash_of",
    "is_ours",
    "is_well_formed",
    "new_secret",
    "terms_of",
    "tier_seeds",
    "used_this_month",
]
