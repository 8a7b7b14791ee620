"""Rows a second from the queue's bytes into the indexed, partitioned table.

    .venv/bin/python bench/writer_rate.py [--database URL] [--rows 500000] [--rounds 3]

The peer is a bare COPY (asyncpg, binary) of the same rows, ready as tuples, into the
same table: no decoding, no counters.  Both alternate; medians and their ratio are
printed.  Without ``--database`` an embedded server is started for the time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from trinity_beast.adapters.embedded import EmbeddedServers
from trinity_beast.adapters.postgres import make_engine
from trinity_beast.adapters.system import SystemClock, SystemRandomness
from trinity_beast.apps.migrating import upgrade
from trinity_beast.features.usage import (
    Batch,
    BatchCodec,
    UsageIds,
    UsageRecord,
    UsageService,
)
from trinity_beast.features.usage.rows import COLUMNS, rows_of
from trinity_beast.toolkit.work import UnitOfWork

KEYS = 200
BATCH = 2_000
GROUP = 10
ASSETS = ("BTC", "ETH", "SOL", "DOGE", "XRP")


class Traffic:
    """Makes records of busy keys, all at the present time."""

    def __init__(self, keys: list[str]) -> None:
        self._keys = keys
        self._ids = UsageIds(SystemRandomness())
        self._dice = random.Random(1)

    def batches(self, rows: int) -> list[Batch]:
        """Return so many new records in batches."""
        now_ns = time.time_ns()
        return [
            Batch(
                UUID(bytes=self._ids.next_id(now_ns)),
                "BeastMain",
                "us-east-2",
                tuple(self._record(now_ns + n) for n in range(BATCH)),
            )
            for _ in range(rows // BATCH)
        ]

    def _record(self, at_ns: int) -> UsageRecord:
        dice = self._dice
        return UsageRecord(
            self._ids.next_id(at_ns),
            at_ns,
            dice.choice(self._keys),
            dice.choice(self._keys),
            f"192.0.2.{dice.randrange(256)}",
            "price",
            "success",
            None,
            dice.choice(ASSETS),
            f"{dice.random() * 1e5:.2f}",
            "coinbase-ws",
            cached=True,
            cache_age_ms=dice.randrange(3_000),
            duration_ms=dice.randrange(3),
        )


@asynccontextmanager
async def database(url: str | None) -> AsyncGenerator[AsyncEngine]:
    """Give a migrated database of its own, dropped afterwards."""
    with tempfile.TemporaryDirectory() as home:
        servers = None
        if url is None:
            servers = EmbeddedServers(
                Path(home),
                clock=SystemClock(),
                randomness=SystemRandomness(),
                progress=print,
            )
            url = (await servers.start()).database_url
        name = f"beast_bench_{time.time_ns()}"
        await execute(url, f"CREATE DATABASE {name}")
        own = make_url(url).set(database=name).render_as_string(hide_password=False)
        await upgrade(own, SystemClock())
        engine = make_engine(own, application_name="bench")
        try:
            yield engine
        finally:
            await engine.dispose()
            await execute(url, f"DROP DATABASE {name} WITH (FORCE)")
            if servers is not None:
                await servers.stop()


async def execute(url: str, statement: str) -> None:
    """Run one statement outside of any transaction."""
    engine = make_engine(url, application_name="bench")
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as it:
        await it.execute(text(statement))
    await engine.dispose()


async def make_keys(engine: AsyncEngine) -> list[str]:
    """Insert keys and return their ids."""
    insert = text(
        "INSERT INTO api_keys (api_key) SELECT 'bench ' || n "
        "FROM generate_series(1, :count) AS n RETURNING CAST(id AS text)",
    )
    async with engine.begin() as connection:
        return list((await connection.execute(insert, {"count": KEYS})).scalars())


async def bare_copy(engine: AsyncEngine, batches: list[Batch]) -> float:
    """Return the rows a second of COPY alone."""
    groups = [batches[at : at + GROUP] for at in range(0, len(batches), GROUP)]
    ready = [list(rows_of(group)) for group in groups]
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        started = time.perf_counter()
        for rows in ready:
            await driver.copy_records_to_table(
                "usage_logs", columns=COLUMNS, records=rows
            )
        return sum(map(len, ready)) / (time.perf_counter() - started)


async def writer(service: UsageService, batches: list[Batch]) -> float:
    """Return the rows a second of the writer, from the bytes to the commit."""
    codec = BatchCodec()
    bodies = [codec.encode(batch) for batch in batches]
    started = time.perf_counter()
    rows = 0
    for start in range(0, len(bodies), GROUP):
        rows += (await service.store(bodies[start : start + GROUP])).rows
    return rows / (time.perf_counter() - started)


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ours: list[float] = []
    theirs: list[float] = []
    async with database(options.database) as engine:
        traffic = Traffic(await make_keys(engine))
        service = UsageService(UnitOfWork(engine), SystemClock())
        rows = options.rows // options.rounds // 2
        for _ in range(options.rounds):
            theirs.append(await bare_copy(engine, traffic.batches(rows)))
            ours.append(await writer(service, traffic.batches(rows)))
            print(f"COPY {theirs[-1]:,.0f} rows/s, writer {ours[-1]:,.0f} rows/s")
    mine, peer = statistics.median(ours), statistics.median(theirs)
    print(f"writer {mine:,.0f} rows/s, {mine / peer:.2f} of a bare COPY's {peer:,.0f}")


if __name__ == "__main__":
    asyncio.run(main())
