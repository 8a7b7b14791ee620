"""First rows are planted once, into empty tables, and never over what is there."""

from __future__ import annotations

from sqlalchemy import insert, select

from trinity_beast.features.parameters.tables import application_parameters
from trinity_beast.toolkit.seeds import Seed, plant
from trinity_beast.toolkit.work import UnitOfWork

SEED = Seed(
    application_parameters,
    ("key",),
    ({"key": "a", "value": "1"}, {"key": "b", "value": "2"}),
)


async def plant_it(work: UnitOfWork, *, again: bool = False) -> int:
    async with work.begin() as connection:
        return await plant(connection, SEED, again=again)


async def values(work: UnitOfWork) -> dict[str, str]:
    table = application_parameters.c
    async with work.begin() as connection:
        rows = await connection.execute(select(table.key, table.value))
        return {row.key: row.value for row in rows}


async def put(work: UnitOfWork, key: str, value: str) -> None:
    async with work.begin() as connection:
        statement = insert(application_parameters).values(key=key, value=value)
        await connection.execute(statement)


async def test_an_empty_table_is_planted_once(work: UnitOfWork) -> None:
    assert await plant_it(work) == 2
    assert await plant_it(work) == 0
    assert await values(work) == {"a": "1", "b": "2"}


async def test_a_table_with_rows_of_its_own_is_left_alone(work: UnitOfWork) -> None:
    await put(work, "c", "3")

    assert await plant_it(work) == 0
    assert await values(work) == {"c": "3"}


async def test_planting_again_adds_what_is_missing_and_changes_nothing(
    work: UnitOfWork,
) -> None:
    await put(work, "a", "mine")

    assert await plant_it(work, again=True) == 1
    assert await values(work) == {"a": "mine", "b": "2"}
    assert await plant_it(work, again=True) == 0
