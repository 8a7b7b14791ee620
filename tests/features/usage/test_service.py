from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from support.clocks import NOON_NS, FixedClock
from support.usage import KEY_ID, packed, usage_batch, usage_record
from support.usage_books import Books, settled
from trinity_beast.adapters.postgres import make_engine
from trinity_beast.adapters.system import SystemClock
from trinity_beast.features.usage import BatchCodec, Stored, UsageService
from trinity_beast.features.usage.partitions import partition_of
from trinity_beast.features.usage.tables import (
    dead_letters,
    usage_batches,
    usage_hourly,
    usage_logs,
)
from trinity_beast.kernel.time import NS_PER_MS, month_of, month_start_ns, to_datetime
from trinity_beast.toolkit.work import DatabaseAway, UnitOfWork

NOON = to_datetime(NOON_NS)
AUGUST_NS = month_start_ns(202608)
OCTOBER_NS = month_start_ns(202610)
OTHER_KEY = "00000000-1111-4222-8333-abcdefabcdef"


@pytest.fixture
def service(work: UnitOfWork, clock: FixedClock) -> UsageService:
    return UsageService(work, clock)


def many(count: int, batches: int) -> list[bytes]:
    """Return batches of so many records each, all records and batches different."""
    return [
        packed(
            *[usage_record(number * count + n) for n in range(count)],
            number=number + 1,
        )
        for number in range(batches)
    ]


async def test_a_record_becomes_a_row_with_every_column(
    service: UsageService,
    books: Books,
) -> None:
    record = usage_record()

    stored = await service.store([packed(record)])

    assert stored == Stored(rows=1)
    assert await books.rows(usage_logs) == [
        {
            "id": UUID(bytes=record.id),
            "user_id": "9f1de0a5-1111-4222-8333-abcdefabcdef",
            "api_key_id": KEY_ID,
            "timestamp": NOON,
            "ip_address": "192.0.2.7",
            "query_type": "price",
            "duration_ms": 3,
            "token_count": 1,
            "latency_ms": 0,
            "status": "success",
            "error": None,
            "cached": True,
            "asset": "BTC",
            "cache_age_seconds": 1.25,
            "price": 121.58,
            "source": "coinbase-ws",
            "cluster_node": "BeastMain",
            "aws_region": "us-east-2",
        },
    ]


async def test_each_batch_leaves_its_id_and_its_sums(
    service: UsageService,
    books: Books,
) -> None:
    await service.store(
        [packed(usage_record(0), usage_record(1, status="error"), number=5)],
    )

    (batch,) = await books.rows(usage_batches)
    hourly = await books.rows(usage_hourly)
    assert (batch["batch_id"], batch["node"], batch["records"]) == (
        UUID(int=5),
        "BeastMain",
        2,
    )
    assert await books.ledger() == {(KEY_ID, 202609): (1, 1)}
    assert sorted((row["status"], row["calls"]) for row in hourly) == [
        ("error", 1),
        ("success", 1),
    ]


async def test_nothing_and_empty_batches_are_stored_too(
    service: UsageService,
    books: Books,
) -> None:
    assert await service.store([]) == Stored()
    assert await service.store([packed(number=1)]) == Stored()
    assert await books.counts() == settled(rows=0, batches=1)


async def test_a_batch_is_written_once_however_often_it_comes(
    service: UsageService,
    books: Books,
) -> None:
    await books.add_key()
    bodies = many(10, 8)
    deliveries = bodies * 3
    random.Random(1).shuffle(deliveries)

    stored = Stored()
    for start in range(0, len(deliveries), 5):
        stored += await service.store(deliveries[start : start + 5])

    assert stored == Stored(rows=80, duplicates=16)
    assert await books.counts() == settled(rows=80, batches=8)
    assert (await books.counters())[0] == 80


async def test_many_writers_write_each_batch_once(
    engine: AsyncEngine,
    clock: FixedClock,
    books: Books,
) -> None:
    """All get all batches, each in another order, with keys in opposite orders."""
    await books.add_key(KEY_ID)
    await books.add_key(OTHER_KEY)
    bodies = [
        packed(
            usage_record(2 * n, key_id=KEY_ID if n % 2 else OTHER_KEY),
            usage_record(2 * n + 1, key_id=OTHER_KEY if n % 2 else KEY_ID),
            number=n + 1,
        )
        for n in range(20)
    ]

    async def writer(seed: int) -> Stored:
        service = UsageService(UnitOfWork(engine), clock)
        mine = list(bodies)
        random.Random(seed).shuffle(mine)
        stored = Stored()
        for start in range(0, len(mine), 3):
            stored += await service.store(mine[start : start + 3])
        return stored

    results = await asyncio.gather(*(writer(seed) for seed in range(4)))

    assert sum(results, Stored()) == Stored(rows=40, duplicates=60)
    assert await books.counts() == settled(rows=40, batches=20)
    assert (await books.counters(KEY_ID))[0] == 20
    assert (await books.counters(OTHER_KEY))[0] == 20


async def test_more_rows_than_fit_one_transaction_take_several(
    service: UsageService,
    books: Books,
) -> None:
    stored = await service.store(many(4_000, 6))

    assert stored == Stored(rows=24_000)
    assert await books.counts() == settled(rows=24_000, batches=6)


async def test_only_success_counts_for_the_quota(
    service: UsageService,
    books: Books,
) -> None:
    await books.add_key()
    records = [
        usage_record(0),
        usage_record(1, status="error"),
        usage_record(2, status="rate_limited"),
    ]

    await service.store([packed(*records)])

    assert await books.counters() == (
        1,
        to_datetime(NOON_NS + 2 * NS_PER_MS),
        NOON,
    )


@pytest.mark.parametrize(
    ("before", "at_ns", "expected"),
    [
        pytest.param((0, None, None), NOON_NS, (1, NOON, NOON), id="first call"),
        pytest.param((7, None, None), NOON_NS, (8, NOON, NOON), id="counted before"),
        pytest.param((7, NOON, None), NOON_NS, (8, NOON, NOON), id="same month"),
        pytest.param(
            (7, NOON, NOON),
            NOON_NS - 60_000 * NS_PER_MS,
            (8, NOON, NOON),
            id="late in the same month",
        ),
        pytest.param(
            (7, NOON, NOON),
            AUGUST_NS,
            (7, NOON, NOON),
            id="late from an earlier month",
        ),
        pytest.param(
            (7, to_datetime(AUGUST_NS), None),
            NOON_NS,
            (1, NOON, NOON),
            id="a new month",
        ),
        pytest.param(
            (7, to_datetime(month_start_ns(202609)), None),
            NOON_NS,
            (8, NOON, NOON),
            id="first instant of the month",
        ),
        pytest.param(
            (7, to_datetime(month_start_ns(202609)) - timedelta(microseconds=1), None),
            NOON_NS,
            (1, NOON, NOON),
            id="last instant of the month before",
        ),
        pytest.param(
            (7, to_datetime(OCTOBER_NS), None),
            NOON_NS,
            (7, to_datetime(OCTOBER_NS), NOON),
            id="first instant of the month after",
        ),
        pytest.param(
            (2**31 - 1, NOON, NOON),
            NOON_NS,
            (2**31 - 1, NOON, NOON),
            id="as far as the column counts",
        ),
    ],
)
async def test_the_month_of_the_request_decides_what_counts(
    service: UsageService,
    books: Books,
    before: tuple[int, datetime | None, datetime | None],
    at_ns: int,
    expected: tuple[int, datetime, datetime],
) -> None:
    usage, last_used, last_success = before
    await books.add_key(
        current_usage=usage,
        last_used=last_used,
        last_success=last_success,
    )

    await service.store([packed(usage_record(at_ns=at_ns))])

    assert await books.counters() == expected


async def test_refusals_alone_begin_a_new_month_at_nothing(
    service: UsageService,
    books: Books,
) -> None:
    await books.add_key(current_usage=7, last_used=to_datetime(AUGUST_NS))

    await service.store([packed(usage_record(status="rate_limited"))])

    assert await books.counters() == (0, NOON, None)


async def test_months_that_come_out_of_order_end_with_the_newest(
    service: UsageService,
    books: Books,
) -> None:
    await books.add_key()
    august = packed(usage_record(0, at_ns=AUGUST_NS), number=1)
    september = packed(usage_record(1), usage_record(2), number=2)
    late_august = packed(usage_record(3, at_ns=AUGUST_NS + 1_000), number=3)

    for body in (august, september, late_august):
        await service.store([body])

    assert (await books.counters())[0] == 2
    assert await books.ledger() == {
        (KEY_ID, 202608): (2, 0),
        (KEY_ID, 202609): (2, 0),
    }


async def test_rows_of_unknown_keys_are_written_without_counters(
    service: UsageService,
    books: Books,
) -> None:
    await books.add_key(OTHER_KEY)
    records = [usage_record(0), usage_record(1, key_id="anonymous")]

    stored = await service.store([packed(*records)])

    assert stored == Stored(rows=2)
    assert await books.counters(OTHER_KEY) == (0, None, None)
    assert await books.ledger() == {
        (KEY_ID, 202609): (1, 0),
        ("anonymous", 202609): (1, 0),
    }


@pytest.mark.parametrize("at_ns", [0, month_start_ns(209901), 2**63 - 1])
async def test_a_month_without_a_partition_has_a_place_too(
    service: UsageService,
    books: Books,
    at_ns: int,
) -> None:
    stored = await service.store([packed(usage_record(at_ns=at_ns))])

    assert stored == Stored(rows=1)
    assert await books.counts() == settled(rows=1, batches=1)


async def test_a_row_lies_in_the_partition_of_its_month(
    engine: AsyncEngine,
    service: UsageService,
) -> None:
    """Months have partitions around the real time, when the database was made."""
    now_ns = SystemClock().now_ns()

    await service.store([packed(usage_record(at_ns=now_ns))])

    async with engine.connect() as connection:
        partition = await connection.scalar(
            text("SELECT CAST(CAST(tableoid AS regclass) AS text) FROM usage_logs"),
        )
    assert partition == partition_of(month_of(now_ns))


async def test_texts_of_any_kind_find_their_way_into_the_table(
    service: UsageService,
    books: Books,
) -> None:
    records = [
        usage_record(0, asset="B\0T\0C", error="\0"),
        usage_record(1, asset="🚀" * 10, error="ошибка"),
        usage_record(2, asset="x" * 1_000_000, error="y" * 1_000_000),
        usage_record(3, asset="", error="", key_id="", ip="", status="", source=""),
    ]

    stored = await service.store([packed(*records)])

    assert stored == Stored(rows=4)
    assert sorted(
        (row["asset"], row["error"]) for row in await books.rows(usage_logs)
    ) == [
        ("", ""),
        ("B?T?C", "?"),
        ("x" * 1_000, "y" * 500),
        ("🚀" * 10, "ошибка"),
    ]


async def test_unreadable_batches_become_dead_letters_and_the_others_go_on(
    service: UsageService,
    books: Books,
) -> None:
    good = packed(usage_record())

    stored = await service.store([b"rubbish", good, b"\x91\x09"])

    assert stored == Stored(rows=1, buried=2)
    letters = await books.rows(dead_letters)
    assert {row["body"]: row["reason"] for row in letters} == {
        b"rubbish": "The usage batch cannot be read: Expected `array`, got `int`.",
        b"\x91\x09": "The usage batch cannot be read: format 9 is not known here.",
    }
    assert await books.counts() == settled(rows=1, batches=1, dead=2)


async def test_a_batch_that_the_database_refuses_is_found_and_buried_alone(
    service: UsageService,
    books: Books,
) -> None:
    """Its row has the id of another row: no retry will ever help."""
    await books.add_key()
    bodies = [
        packed(usage_record(0), number=1),
        packed(usage_record(1), usage_record(0), number=2),
        packed(usage_record(2), number=3),
    ]

    stored = await service.store(bodies)

    assert stored == Stored(rows=2, buried=1)
    (letter,) = await books.rows(dead_letters)
    assert (letter["body"], letter["reason"]) == (
        bodies[1],
        "The database refuses the rows: 23505 UniqueViolationError.",
    )
    assert await books.counts() == settled(rows=2, batches=2, dead=1)
    assert (await books.counters())[0] == 2


async def test_a_batch_of_an_impossible_node_is_buried(
    service: UsageService,
    books: Books,
) -> None:
    batch = replace(usage_batch(usage_record()), node="Beast\0Main")

    stored = await service.store([BatchCodec().encode(batch)])

    (letter,) = await books.rows(dead_letters)
    assert stored == Stored(buried=1)
    assert letter["reason"] == "The database refuses the rows: 22021 DBAPIError."


async def test_the_same_dead_letter_is_kept_once(
    service: UsageService,
    books: Books,
) -> None:
    for _ in range(3):
        assert await service.store([b"rubbish"]) == Stored(buried=1)

    assert await books.counts() == settled(rows=0, batches=0, dead=1)


async def test_a_database_that_went_away_in_the_middle_wrote_nothing(
    engine: AsyncEngine,
    service: UsageService,
    books: Books,
) -> None:
    """The connection is cut while the writer waits for the row of its key."""
    await books.add_key()
    body = packed(usage_record())
    async with engine.connect() as other:
        await other.execute(
            text("SELECT 1 FROM api_keys WHERE id = :id FOR UPDATE"),
            {"id": UUID(KEY_ID)},
        )
        storing = asyncio.create_task(service.store([body]))
        await _cut_whoever_waits(engine)
        with pytest.raises(DatabaseAway):
            await storing

    assert await books.counts() == settled(rows=0, batches=0)
    assert await service.store([body]) == Stored(rows=1)
    assert (await books.counters())[0] == 1


async def _cut_whoever_waits(engine: AsyncEngine) -> None:
    """End the connection that waits for a lock, as soon as there is one."""
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    async with asyncio.timeout(10), engine.connect() as connection:
        while not (await connection.execute(cut)).all():
            await connection.rollback()


async def test_a_database_that_is_not_there_is_away(clock: FixedClock) -> None:
    """Nobody listens on the discard port."""
    engine = make_engine("postgresql://nobody@127.0.0.1:9/none", application_name="t")
    service = UsageService(UnitOfWork(engine), clock)

    with pytest.raises(DatabaseAway):
        await service.store([packed(usage_record())])
    with pytest.raises(DatabaseAway):
        await service.store([b"rubbish"])
    await engine.dispose()


async def test_a_missing_table_is_no_fault_of_the_rows(
    engine: AsyncEngine,
    service: UsageService,
    books: Books,
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE usage_logs RENAME TO elsewhere"))
    try:
        with pytest.raises(DatabaseAway) as away:
            await service.store([packed(usage_record())])
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE elsewhere RENAME TO usage_logs"))

    assert away.value.context == {"reason": "UndefinedTableError 42P01"}
    assert await books.counts() == settled(rows=0, batches=0)


async def test_counting_sends_no_notices(
    engine: AsyncEngine,
    service: UsageService,
    books: Books,
) -> None:
    heard: list[str] = []

    def hear(_connection: object, _pid: int, _channel: str, notice: str) -> None:
        heard.append(notice)

    await books.add_key()
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        await driver.add_listener("beast_changes", hear)
        await service.store([packed(usage_record())])
        await books.add_key(OTHER_KEY)
        await driver.execute("SELECT 1")

    assert [OTHER_KEY in notice for notice in heard] == [True]


async def test_old_batch_ids_are_pruned_and_young_ones_stay(
    engine: AsyncEngine,
    clock: FixedClock,
    service: UsageService,
    books: Books,
) -> None:
    await service.store(many(1, 3))
    ages = {1: timedelta(days=9), 2: timedelta(days=8, seconds=1), 3: timedelta(days=7)}
    async with engine.begin() as connection:
        for number, age in ages.items():
            await connection.execute(
                update(usage_batches)
                .where(usage_batches.c.batch_id == UUID(int=number))
                .values(written_at=to_datetime(clock.now_ns()) - age),
            )

    pruned = await service.prune()

    left = [row["batch_id"] for row in await books.rows(usage_batches)]
    assert (pruned, left) == (2, [UUID(int=3)])


async def test_partitions_are_made_ahead_of_the_calendar(
    service: UsageService,
    clock: FixedClock,
    work: UnitOfWork,
) -> None:
    clock.wall_ns = month_start_ns(203107)

    await service.make_partitions()
    await service.make_partitions()

    listed = "SELECT relname FROM pg_class WHERE relname ~ '^usage_logs_2031[0-9]*$'"
    async with work.begin() as connection:
        names = set((await connection.execute(text(listed))).scalars())
        for name in names:
            await connection.execute(text(f'DROP TABLE "{name}"'))
    assert names == {
        f"usage_logs_2031{month}" for month in ("06", "07", "08", "09", "10")
    }
