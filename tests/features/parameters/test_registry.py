"""The registry: what every parameter is."""

from __future__ import annotations

from sqlalchemy import select, text

from trinity_beast.features.parameters import (
    REGISTRY,
    Parameters,
    ParameterService,
    parameter_seeds,
)
from trinity_beast.features.parameters.registry import PROFILE_TUNABLES
from trinity_beast.features.parameters.tables import application_parameter_profiles
from trinity_beast.toolkit.work import UnitOfWork

BOOKKEEPING = {"id", "profile_name", "description", "created_at", "updated_at"}


def test_names_and_aliases_are_unique_over_both_tables() -> None:
    names = [name for it in REGISTRY for name in (it.name, *it.aliases)]

    assert len(names) == len(set(names))


def test_every_number_has_a_unit_a_range_and_every_parameter_a_meaning() -> None:
    for it in REGISTRY:
        assert it.meaning.endswith("."), it.name
        if it.kind in {"integer", "decimal"}:
            assert it.unit, it.name
            assert it.low is not None, it.name
            assert it.high is not None, it.name


def test_the_tunables_are_the_columns_of_a_profile_with_their_defaults() -> None:
    """Source: data dictionary 2.1."""
    columns = {
        column.name: str(getattr(column.server_default, "arg", "")).strip("'")
        for column in application_parameter_profiles.c
        if column.name not in BOOKKEEPING
    }

    assert len(columns) == 19
    assert {it.name: it.default for it in PROFILE_TUNABLES} == columns


def test_what_this_phase_needs_is_there() -> None:
    assert {
        it.name: it.default
        for it in REGISTRY
        if it not in PROFILE_TUNABLES and it.home == "application"
    } == {
        "feed_silence_seconds": "30",
        "grace_period_days": "7",
        "stream_tiers": "unlimited,lifetime,partner",
        "stream_connections_per_key": "3",
        "webhook_allow_private": "false",
        "usage_retention_days": "93",
    }


async def test_a_fresh_installation_has_a_row_for_each_and_all_are_good(
    seeded_work: UnitOfWork,
) -> None:
    load = ParameterService(seeded_work).load
    parameters = Parameters(load)

    await parameters.refresh()

    assert await load() == {it.name: it.default for it in REGISTRY}
    assert parameters.refused == {}


async def test_profiles_leave_to_the_columns_what_they_do_not_state(
    seeded_work: UnitOfWork,
) -> None:
    profiles = application_parameter_profiles.c
    async with seeded_work.begin() as connection:
        rows = await connection.execute(
            select(
                profiles.profile_name,
                profiles.qps,
                profiles.burst,
                profiles.log_level,
                profiles.cache_ttl,
                profiles.sqs_flush_ms,
            ).order_by(profiles.id)
        )
        found = [tuple(row) for row in rows]

    assert found == [
        ("demo", 3, 3, "debug", 30, 100),
        ("debug", 10_000, 10_000, "debug", 9, 100),
        ("fresh-price", 1000, 1000, "info", 13, 100),
        ("stress", 100_000, 100_000, "info", 300, 100),
        ("stress-tcp-direct", 100_000, 100_000, "info", 300, 100),
        ("stress-tcp-alb", 100_000, 100_000, "info", 300, 100),
        ("stress-udp-direct", 100_000, 100_000, "info", 300, 100),
        ("stress-udp-nlb", 100_000, 100_000, "info", 300, 100),
    ]


async def test_a_key_counts_only_in_the_table_where_it_belongs(
    work: UnitOfWork,
) -> None:
    async with work.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO application_parameters (key, value) VALUES "
                "('cache_ttl_seconds', '11'), ('report_max_rows', '5'), ('junk', 'x')"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO report_parameters (key, value) VALUES "
                "('report_default_days', '3'), ('qps', '1')"
            )
        )

    assert await ParameterService(work).load() == {
        "cache_ttl_seconds": "11",
        "report_default_days": "3",
    }


def test_every_seed_states_the_same_columns_in_every_row() -> None:
    for it in parameter_seeds():
        assert len({frozenset(row) for row in it.rows}) == 1
