"""A process's place in its home, and the name that comes with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trinity_beast.features.limits import HomeSeat

if TYPE_CHECKING:
    from support.randomness import SeededRandomness


def test_living_processes_have_different_seats(
    tmp_path: Path,
    randomness: SeededRandomness,
) -> None:
    seats = [HomeSeat.take(tmp_path / "run", "Main", randomness) for _ in range(3)]

    assert len({seat.holder for seat in seats}) == 3
    assert all(seat.holder.startswith("Main-") for seat in seats)
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == [
        "seat-0",
        "seat-1",
        "seat-2",
    ]
    for seat in seats:
        seat.leave()


def test_a_successor_is_known_by_the_same_name(
    tmp_path: Path,
    randomness: SeededRandomness,
) -> None:
    first = HomeSeat.take(tmp_path, "Main", randomness)
    first.owe()
    first.settle()
    first.leave()

    second = HomeSeat.take(tmp_path, "Main", randomness)
    second.leave()

    assert second.holder == first.holder


def test_the_name_of_who_died_owing_is_given_up(
    tmp_path: Path,
    randomness: SeededRandomness,
) -> None:
    first = HomeSeat.take(tmp_path, "Main", randomness)
    first.owe()
    first.leave()

    second = HomeSeat.take(tmp_path, "Main", randomness)
    second.leave()
    third = HomeSeat.take(tmp_path, "Main", randomness)
    third.leave()

    assert second.holder != first.holder
    assert third.holder == second.holder


def test_a_node_that_was_renamed_gets_a_new_name(
    tmp_path: Path,
    randomness: SeededRandomness,
) -> None:
    HomeSeat.take(tmp_path, "Main", randomness).leave()

    renamed = HomeSeat.take(tmp_path, "Mirror", randomness)
    renamed.leave()

    assert renamed.holder.startswith("Mirror-")
