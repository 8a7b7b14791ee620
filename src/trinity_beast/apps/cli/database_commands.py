"""`beast db`: bring the schema up to date, fill it, compare it with the dictionary."""

from __future__ import annotations

import typer

from trinity_beast.apps.cli.opened import database
from trinity_beast.apps.cli.session import FAILED, Session, run
from trinity_beast.apps.migrating import seed as seed_database
from trinity_beast.features.dictionary import check_database

app = typer.Typer(
    help="Bring the database up to date, fill it, compare it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command()
def upgrade() -> None:
    """Create what is missing; an existing database is adopted, rows untouched."""

    async def command(session: Session) -> None:
        async with database(session):
            session.out.print("the database is up to date")

    run(command)


@app.command()
def seed() -> None:
    """Add seeded rows that are missing; rows that are there stay as they are."""

    async def command(session: Session) -> None:
        async with database(session) as work:
            counts = await seed_database(work, force=True)
        for name, count in counts.items():
            session.out.print(f"{name}: {count} added")

    run(command)


@app.command()
def check() -> None:
    """Compare the live database with the data dictionary, column by column."""

    async def command(session: Session) -> int:
        async with database(session) as work, work.begin() as connection:
            differences = await check_database(connection)
        for difference in differences:
            session.out.print(str(difference), markup=False)
        session.out.print(
            f"{len(differences)} differences from the data dictionary"
            if differences
            else "the database is the data dictionary's",
        )
        return len(differences)

    if run(command):
        raise typer.Exit(FAILED)
