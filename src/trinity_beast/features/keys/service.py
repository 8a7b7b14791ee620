"""What can be done with keys; each method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import cast
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.accounts import AccountService
from trinity_beast.features.keys.errors import (
    KeyAmbiguous,
    KeyNotFound,
    UnknownFormat,
    UnknownTier,
)
from trinity_beast.features.keys.model import (
    FREE,
    FREE_TEMPLATE,
    ApiKey,
    IssuedKey,
    KeyPlace,
    Storage,
    Template,
)
from trinity_beast.features.keys.repository import KeyRepository
from trinity_beast.features.keys.secret import (
    ELLIPSIS,
    display_form,
    hash_of,
    is_well_formed,
    new_secret,
)
from trinity_beast.kernel.time import to_datetime
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.randomness import Randomness
from trinity_beast.toolkit.work import UnitOfWork

_log = structlog.get_logger("keys")
_FORMATS = ("tbc", "plain")
_SEALED_AT_ONCE = 500
_MOST_NAMESAKES = 4
_MS_PER_S = 1000


class KeyService:
    """Issues, finds, lists, revokes and seals keys."""

    def __init__(
        self,
        work: UnitOfWork,
        clock: Clock,
        randomness: Randomness,
        storage: Storage = "sealed",
    ) -> None:
        self._work = work
        self._clock = clock
        self._randomness = randomness
        self._storage: Storage = storage
        self._keys = KeyRepository()
        self._accounts = AccountService(work)

    async def create(
        self,
        email: str,
        tier: str,
        *,
        name: str | None = None,
        response_format: str = "tbc",
    ) -> IssuedKey:
        """Issue a key with the limits of its tier, and an account if there is none.

        The secret is in the answer and nowhere else.

        Args:
            email: Whose key it will be.
            tier: A tier of ``rate_limit_template``.
            name: What its owner calls it.
            response_format: ``tbc`` or ``plain``.

        Raises:
            InvalidEmail: No letter can be sent to this address.
            UnknownTier: There is no such tier.
            UnknownFormat: There is no such format.
            DatabaseAway: No key was issued.
        """
        if response_format not in _FORMATS:
            raise UnknownFormat(response_format=response_format)
        secret = new_secret(self._randomness)
        async with self._work.begin() as connection:
            template = await self._get_template(connection, tier)
            user_id = await self._accounts.get_or_create(
                connection,
                email,
                name,
                tier,
            )
            values = self._values(secret, template) | {
                "user_id": user_id,
                "name": name,
                "response_format": response_format,
            }
            key_id = await self._keys.add(connection, values)
            key = await self._keys.find_by_id(connection, key_id)
        return IssuedKey(cast("ApiKey", key), secret)

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        """Return the key whose secret has this hash, revoked or not.

        Keys of an older database are found as well, though they are kept plain.

        Raises:
            DatabaseAway: Nobody can say right now.
        """
        return (await self.find_by_hashes([key_hash])).get(key_hash)

    async def find_by_hashes(self, key_hashes: Sequence[str]) -> dict[str, ApiKey]:
        """Return keys by their hashes, in one query; unknown hashes are left out.

        Raises:
            DatabaseAway: Nobody can say right now.
        """
        async with self._work.begin() as connection:
            return await self._keys.find_by_hashes(connection, key_hashes)

    async def list_hashes(self, start: str) -> list[str]:
        """Return the hashes of keys that start so, as signed datagrams name them.

        More than one is nearly impossible for hashes of keys that we issued; of keys
        that somebody brought along, a few are returned.

        Args:
            start: 16 lower-case hex digits.

        Raises:
            DatabaseAway: Nobody can say right now.
        """
        async with self._work.begin() as connection:
            return await self._keys.list_hashes(connection, start, _MOST_NAMESAKES)

    async def list_keys(
        self,
        limit: int = 100,
        after: KeyPlace | None = None,
    ) -> list[ApiKey]:
        """Return up to ``limit`` keys, newest first.

        Args:
            limit: Most keys of a page.
            after: The ``place`` of the last key of the page before.

        Raises:
            DatabaseAway: Nobody can say right now.
        """
        async with self._work.begin() as connection:
            return await self._keys.list_newest(connection, limit, after)

    async def revoke(self, selector: str) -> ApiKey:
        """Refuse a key for good, and return it; revoking twice is not an error.

        Args:
            selector: The key's id, its display form, or the key itself.

        Raises:
            KeyNotFound: No key fits.
            KeyAmbiguous: Several keys have this display form.
            DatabaseAway: Nothing was changed.
        """
        async with self._work.begin() as connection:
            key = await self._get(connection, selector.strip())
            await self._keys.revoke(connection, key.id)
            revoked = await self._keys.find_by_id(connection, key.id)
        return cast("ApiKey", revoked)

    async def template(self, tier: str) -> Template:
        """Return what a key of a tier starts with.

        Raises:
            UnknownTier: There is no such tier.
            DatabaseAway: Nobody can say right now.
        """
        async with self._work.begin() as connection:
            return await self._get_template(connection, tier)

    async def free_template(self) -> Template:
        """Return the free tier; the data dictionary's own when its row is missing.

        Raises:
            DatabaseAway: Nobody can say right now.
        """
        async with self._work.begin() as connection:
            template = await self._keys.find_template(connection, FREE)
        if template is None:
            _log.warning("rate_limit_template has no row for the free tier")
        return template or FREE_TEMPLATE

    async def seal_all(self) -> int:
        """Replace each key kept plain by hash and display form, and count them.

        Owners notice nothing.  Doing it again finds nothing left to do.

        Raises:
            DatabaseAway: Nothing was changed.
        """
        sealed = 0
        async with self._work.begin() as connection:
            while some := await self._keys.seal_some(connection, _SEALED_AT_ONCE):
                sealed += some
        return sealed

    def _values(self, secret: str, template: Template) -> dict[str, object]:
        sealed = self._storage == "sealed"
        return {
            "key_hash": hash_of(secret),
            "api_key": display_form(secret) if sealed else secret,
            "tier": template.tier,
            "query_limit": template.query_limit,
            "rate_limit_qps": template.rate_limit_qps,
            "burst_limit": template.burst_limit,
            "burst_tokens": template.burst_limit,
            "minimum_wait_seconds": Decimal(template.minimum_wait_ms) / _MS_PER_S,
            "created_at": to_datetime(self._clock.now_ns()),
        }

    async def _get_template(self, connection: AsyncConnection, tier: str) -> Template:
        template = await self._keys.find_template(connection, tier)
        if template is None:
            tiers = ", ".join(await self._keys.list_tiers(connection))
            raise UnknownTier(tier=tier, tiers=tiers)
        return template

    async def _get(self, connection: AsyncConnection, selector: str) -> ApiKey:
        keys = await self._fitting(connection, selector)
        if not keys:
            raise KeyNotFound
        if len(keys) > 1:
            ids = ", ".join(sorted(str(key.id) for key in keys))
            raise KeyAmbiguous(count=len(keys), ids=ids)
        return keys[0]

    async def _fitting(
        self,
        connection: AsyncConnection,
        selector: str,
    ) -> list[ApiKey]:
        if ELLIPSIS in selector:
            return await self._keys.list_shown_as(connection, selector)
        key_id = _uuid_of(selector)
        if key_id is not None:
            key = await self._keys.find_by_id(connection, key_id)
            if key is not None:
                return [key]
        if not is_well_formed(selector):
            return []
        return list(
            (await self._keys.find_by_hashes(connection, [hash_of(selector)])).values(),
        )


def _uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
