"""The SQL of keys and tiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.keys.model import (
    DICTIONARY_TIERS,
    ApiKey,
    KeyPlace,
    ResponseFormat,
    Template,
)
from trinity_beast.features.keys.secret import (
    BODY_LENGTH,
    CHECK_LENGTH,
    ELLIPSIS,
    LIVE_PREFIX,
    display_form,
)
from trinity_beast.features.keys.tables import api_keys, rate_limit_template
from trinity_beast.kernel.time import from_datetime, to_datetime

_KEYS = api_keys.c
_TIERS = rate_limit_template.c
_SENDABLE = "^[!-~]{8,200}$"
_LONGEST_WAIT_MS = 3_600_000

# Written as in the index, or the index is not used.
_PLAIN_HASH = func.beast.key_hash_of(_KEYS.api_key)
_OUR_LENGTH = len(LIVE_PREFIX) + BODY_LENGTH + CHECK_LENGTH
# Whether the column holds a key that somebody can send: no ellipsis, no other text.
_IS_PLAIN = _KEYS.api_key.regexp_match(_SENDABLE) & or_(
    ~_KEYS.api_key.startswith(LIVE_PREFIX, autoescape=True),
    func.length(_KEYS.api_key) == _OUR_LENGTH,
)
_FOUND_BY = case((_IS_PLAIN, _PLAIN_HASH), else_=_KEYS.key_hash)
_TIER_HAS_ROW = exists().where(_TIERS.tier == _KEYS.tier)


class KeyRepository:
    """Reads and writes ``api_keys`` and ``rate_limit_template`` in a transaction."""

    async def find_by_hashes(
        self,
        connection: AsyncConnection,
        key_hashes: Sequence[str],
    ) -> dict[str, ApiKey]:
        """Return the keys with these hashes; hashes of no key are left out.

        A sealed row is found by its ``key_hash``.  A row that still holds its key is
        found by the hash of that: in older databases ``key_hash`` holds nothing, or
        something else.  Of several rows with one key the newest that works counts.
        """
        stored = _KEYS.key_hash.in_(key_hashes) & ~_IS_PLAIN
        plain = _PLAIN_HASH.in_(key_hashes) & _IS_PLAIN
        # Later keys replace earlier ones below, so the best come last.
        order = (_KEYS.revoked.desc(), _KEYS.created_at, _KEYS.id)
        statement = _selection().where(or_(stored, plain)).order_by(*order)
        keys = [_key_of(row) for row in await connection.execute(statement)]
        return {key.key_hash: key for key in keys}

    async def list_hashes(
        self,
        connection: AsyncConnection,
        start: str,
        most: int,
    ) -> list[str]:
        """Return up to ``most`` hashes of keys that start so.

        Args:
            connection: In a transaction.
            start: Lower-case hex digits.
            most: How many.
        """
        # A range, since an index on text serves LIKE in few collations; in all of
        # them, "g" comes after every digit that may follow.
        after, plain_hash = start + "g", _PLAIN_HASH
        stored = (_KEYS.key_hash >= start) & (_KEYS.key_hash < after) & ~_IS_PLAIN
        plain = (plain_hash >= start) & (plain_hash < after) & _IS_PLAIN
        hashes = select(_FOUND_BY.label("found_by")).where(or_(stored, plain))
        statement = hashes.distinct().order_by("found_by").limit(most)
        found = (await connection.execute(statement)).scalars()
        return [each for each in found if each.startswith(start)]

    async def find_by_id(
        self,
        connection: AsyncConnection,
        key_id: UUID,
    ) -> ApiKey | None:
        """Return the key with this id."""
        statement = _selection().where(_KEYS.id == key_id)
        row = (await connection.execute(statement)).first()
        return None if row is None else _key_of(row)

    async def list_shown_as(
        self,
        connection: AsyncConnection,
        shown: str,
    ) -> list[ApiKey]:
        """Return the keys whose display form is this."""
        head, _, tail = shown.partition(ELLIPSIS)
        alike = func.starts_with(_KEYS.api_key, head) & (
            func.right(_KEYS.api_key, len(tail)) == tail
        )
        rows = (await connection.execute(_selection().where(alike))).all()
        keys = [_key_of(row) for row in rows]
        return [key for key in keys if key.shown == shown]

    async def list_newest(
        self,
        connection: AsyncConnection,
        limit: int,
        after: KeyPlace | None,
    ) -> list[ApiKey]:
        """Return up to ``limit`` keys, newest first, beginning after a place."""
        place = tuple_(_KEYS.created_at, _KEYS.id)
        statement = _selection().order_by(_KEYS.created_at.desc(), _KEYS.id.desc())
        if after is not None:
            moment = to_datetime(after.created_at_ns)
            statement = statement.where(place < tuple_(moment, after.id))
        rows = (await connection.execute(statement.limit(limit))).all()
        return [_key_of(row) for row in rows]

    async def add(
        self,
        connection: AsyncConnection,
        values: Mapping[str, object],
    ) -> UUID:
        """Insert a key, in the columns of its table, and return its id."""
        statement = insert(api_keys).values(**values).returning(_KEYS.id)
        return (await connection.execute(statement)).scalar_one()

    async def revoke(self, connection: AsyncConnection, key_id: UUID) -> None:
        """Refuse a key from now on; one that is revoked is not touched."""
        change = update(api_keys).values(revoked=True)
        await connection.execute(change.where(_KEYS.id == key_id, ~_KEYS.revoked))

    async def seal_some(self, connection: AsyncConnection, most: int) -> int:
        """Seal up to ``most`` keys that are kept plain; return how many it were."""
        plain = select(_KEYS.id, _KEYS.api_key).where(_IS_PLAIN).limit(most)
        rows = (await connection.execute(plain.with_for_update())).all()
        if rows:
            sealed = update(api_keys).where(_KEYS.id == bindparam("row"))
            sealed = sealed.values(key_hash=_PLAIN_HASH, api_key=bindparam("shown"))
            forms = [{"row": r.id, "shown": display_form(r.api_key)} for r in rows]
            await connection.execute(sealed, forms)
        return len(rows)

    async def find_template(
        self,
        connection: AsyncConnection,
        tier: str,
    ) -> Template | None:
        """Return what a tier starts with."""
        statement = select(
            _TIERS.tier,
            _TIERS.query_limit,
            _TIERS.rate_limit_qps,
            _TIERS.burst_limit,
            _TIERS.min_wait_seconds,
        ).where(_TIERS.tier == tier)
        row = (await connection.execute(statement)).first()
        return None if row is None else Template(*row[:4], _milliseconds(row[4]))

    async def list_tiers(self, connection: AsyncConnection) -> list[str]:
        """Return the names of all tiers, the smallest first."""
        order = (_TIERS.query_limit, _TIERS.rate_limit_qps, _TIERS.tier)
        rows = await connection.execute(select(_TIERS.tier).order_by(*order))
        return list(rows.scalars())


def _selection() -> Select[*tuple[Any, ...]]:
    known: ColumnElement[bool] = _KEYS.tier.in_(DICTIONARY_TIERS) | _TIER_HAS_ROW
    return select(
        _KEYS.id,
        _KEYS.user_id,
        _KEYS.name,
        _KEYS.tier,
        known.label("tier_known"),
        _KEYS.query_limit,
        _KEYS.current_usage,
        _KEYS.last_used,
        _KEYS.created_at,
        _KEYS.rate_limit_qps,
        _KEYS.burst_limit,
        _KEYS.minimum_wait_seconds,
        _KEYS.revoked,
        _KEYS.lrs_enabled,
        _KEYS.response_format,
        _KEYS.subscription_status,
        _KEYS.payment_failed_at,
        _KEYS.tier_effective_date,
        _KEYS.api_key,
        _FOUND_BY.label("found_by"),
    )


def _key_of(row: Row[Any]) -> ApiKey:
    response_format: ResponseFormat = (
        "plain" if row.response_format == "plain" else "tbc"
    )
    stored: str = row.api_key
    return ApiKey(
        id=row.id,
        user_id=row.user_id,
        key_hash=row.found_by or "",
        name=row.name,
        tier=row.tier,
        tier_known=row.tier_known,
        query_limit=row.query_limit,
        current_usage=row.current_usage,
        last_used_ns=_instant(row.last_used),
        created_at_ns=from_datetime(row.created_at),
        rate_limit_qps=row.rate_limit_qps,
        burst_limit=row.burst_limit,
        minimum_wait_ms=_milliseconds(row.minimum_wait_seconds),
        revoked=row.revoked,
        lrs_enabled=row.lrs_enabled,
        response_format=response_format,
        subscription_status=row.subscription_status,
        payment_failed_at_ns=_instant(row.payment_failed_at),
        tier_effective_at_ns=_instant(row.tier_effective_date),
        shown=stored if ELLIPSIS in stored else display_form(stored),
    )


def _instant(moment: datetime | None) -> int | None:
    return None if moment is None else from_datetime(moment)


def _milliseconds(seconds: Decimal) -> int:
    # numeric knows NaN and infinity; neither is a wait that anybody meant.
    if not seconds.is_finite():
        return 0
    return min(max(0, round(seconds * 1000)), _LONGEST_WAIT_MS)
