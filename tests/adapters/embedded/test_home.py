from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.clocks import FixedClock
from support.randomness import SeededRandomness
from trinity_beast.adapters.embedded import HomeInUse, HomeUnusable
from trinity_beast.adapters.embedded.home import Home, Kept, Running, write_private

RUNNING = Running(1, 2, 3, "postgresql://db", "valkey://cache")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


async def test_a_home_has_one_owner_at_a_time(
    tmp_path: Path,
    clock: FixedClock,
) -> None:
    first, second = Home(tmp_path / "home"), Home(tmp_path / "home")
    await first.lock(clock)

    with pytest.raises(HomeInUse) as refused:
        await second.lock(clock)
    states = [second.is_locked(), first.is_ours, second.is_ours]
    first.unlock()
    first.unlock()

    assert states == [True, True, False]
    assert second.is_locked() is False
    assert str(refused.value) == (
        f"The home {tmp_path / 'home'} is in use by process {os.getpid()}. "
        "Stop that process, or set BEAST_HOME to another directory."
    )
    await second.lock(clock)
    second.unlock()


def test_a_home_that_was_never_started_has_no_owner(tmp_path: Path) -> None:
    assert Home(tmp_path / "home").is_locked() is False


async def test_a_home_that_cannot_be_made_is_refused_by_name(
    tmp_path: Path,
    clock: FixedClock,
) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(HomeUnusable, match="Not a directory"):
        await Home(tmp_path / "file" / "home").lock(clock)


@as_root
async def test_another_users_home_is_refused(tmp_path: Path, clock: FixedClock) -> None:
    (tmp_path / "lock").write_text("")
    os.chown(tmp_path / "lock", 40_001, 40_001)

    with pytest.raises(HomeUnusable, match="user 40001 made it; start as that user"):
        await Home(tmp_path).lock(clock)


def test_passwords_are_made_once_and_only_their_owner_can_read_them(
    tmp_path: Path,
    randomness: SeededRandomness,
) -> None:
    first = Home(tmp_path).kept(randomness)

    assert Home(tmp_path).kept(randomness) == first
    assert first.database_password != first.valkey_password
    assert len(first.database_password) == 48
    assert (tmp_path / "embedded.json").stat().st_mode & 0o777 == 0o600


def test_what_is_kept_comes_back(tmp_path: Path, randomness: SeededRandomness) -> None:
    Home(tmp_path).keep(Kept("a", "b", 20_001))

    assert Home(tmp_path).kept(randomness) == Kept("a", "b", 20_001)


def test_damaged_passwords_are_not_replaced(
    tmp_path: Path,
    randomness: SeededRandomness,
) -> None:
    (tmp_path / "embedded.json").write_text("{")

    with pytest.raises(HomeUnusable, match=r"embedded.json is damaged"):
        Home(tmp_path).kept(randomness)
    assert (tmp_path / "embedded.json").read_text() == "{"


def test_passwords_that_are_gone_while_the_database_is_there_are_reported(
    tmp_path: Path,
    randomness: SeededRandomness,
) -> None:
    (tmp_path / "postgres" / "main").mkdir(parents=True)

    with pytest.raises(HomeUnusable, match=r"embedded.json is gone"):
        Home(tmp_path).kept(randomness)


def test_what_the_owner_publishes_others_read_until_it_is_withdrawn(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    before = home.running()
    home.publish(RUNNING)
    between = Home(tmp_path).running()
    mode = (tmp_path / "servers.json").stat().st_mode & 0o777
    home.withdraw()
    home.withdraw()

    assert (before, between, home.running()) == (None, RUNNING, None)
    assert mode == 0o600


def test_a_half_written_file_of_a_killed_process_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "servers.json").write_text('{"owner_pid":1')

    assert Home(tmp_path).running() is None


def test_a_private_file_is_replaced_whole_and_leaves_nothing_beside_it(
    tmp_path: Path,
) -> None:
    (tmp_path / f".secret.{os.getpid()}").write_text("left by a killed process")
    write_private(tmp_path / "secret", b"one")
    write_private(tmp_path / "secret", b"two")

    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").read_bytes() == b"two"
