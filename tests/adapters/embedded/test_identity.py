from __future__ import annotations

import os
from pathlib import Path

import pytest

from trinity_beast.adapters.embedded import HomeUnusable
from trinity_beast.adapters.embedded.identity import (
    Identity,
    can_enter,
    make_private_directory,
    own_identity,
    unprivileged_identity,
)

STRANGER = Identity(40_001, 40_002)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has others to run as")


@pytest.mark.parametrize(
    ("mode", "who", "expected"),
    [
        (0o700, "owner", True),
        (0o600, "owner", False),
        (0o750, "group", True),
        (0o705, "group", False),
        (0o701, "stranger", True),
        (0o770, "stranger", False),
    ],
)
def test_the_bits_of_a_directory_say_who_may_enter(
    open_place: Path,
    mode: int,
    who: str,
    *,
    expected: bool,
) -> None:
    owner = open_place.stat()
    visitors = {
        "owner": Identity(owner.st_uid, STRANGER.gid),
        "group": Identity(STRANGER.uid, owner.st_gid),
        "stranger": STRANGER,
    }
    open_place.chmod(mode)

    assert can_enter(visitors[who], open_place) is expected


def test_a_closed_directory_closes_what_is_below(open_place: Path) -> None:
    below = open_place / "open"
    below.mkdir(mode=0o755)
    before = can_enter(STRANGER, below)

    open_place.chmod(0o700)

    assert (before, can_enter(STRANGER, below)) == (True, False)


def test_a_private_directory_is_made_and_closed_again_when_it_was_opened(
    tmp_path: Path,
) -> None:
    place = tmp_path / "new" / "place"
    make_private_directory(place, own_identity())
    place.chmod(0o755)

    make_private_directory(place, own_identity())

    assert place.stat().st_mode & 0o777 == 0o700


def test_a_link_is_not_taken_for_a_private_directory(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.symlink_to(tmp_path)

    with pytest.raises(HomeUnusable, match="must be a directory of user"):
        make_private_directory(place, own_identity())


def test_another_users_directory_is_not_taken_for_a_private_one(tmp_path: Path) -> None:
    with pytest.raises(HomeUnusable, match=r"must be a directory of user 40001"):
        make_private_directory(tmp_path, STRANGER)


def test_a_place_that_cannot_be_made_is_told_by_name(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")

    with pytest.raises(HomeUnusable, match="Not a directory"):
        make_private_directory(file / "place", own_identity())


@as_root
def test_root_lets_a_new_server_run_as_nobody_and_an_old_one_as_its_owner(
    tmp_path: Path,
) -> None:
    mine, old = tmp_path / "mine", tmp_path / "old"
    mine.mkdir()
    old.mkdir()
    os.chown(old, *(STRANGER.uid, STRANGER.gid))

    assert unprivileged_identity(old) == STRANGER
    assert unprivileged_identity(mine) == unprivileged_identity(tmp_path / "new")
    assert unprivileged_identity(mine).uid != 0
