from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from trinity_beast.features.usage.claims import claim, claim_abandoned, claim_named

HOLDER = """
import sys
from pathlib import Path
from trinity_beast.features.usage.claims import claim
held = claim(Path(sys.argv[1]))
print(held is not None, flush=True)
sys.stdin.read()
"""


def test_a_directory_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first = claim(tmp_path / "a")
    assert first is not None
    (tmp_path / "a" / "content").touch()

    assert claim(tmp_path / "a") is None
    first.release()

    assert claim(tmp_path / "a") is not None


def test_an_empty_directory_goes_with_its_owner(tmp_path: Path) -> None:
    claimed = claim_named(tmp_path, "node-1")

    claimed.release()

    assert list(tmp_path.iterdir()) == []


def test_two_processes_of_one_name_get_two_directories(tmp_path: Path) -> None:
    claims = [claim_named(tmp_path, "node-1") for _ in range(3)]

    assert [claimed.path.name for claimed in claims] == [
        "node-1",
        "node-1-2",
        "node-1-3",
    ]


def test_a_name_cannot_leave_the_directory(tmp_path: Path) -> None:
    names = [
        claim_named(tmp_path, owner).path.relative_to(tmp_path).as_posix()
        for owner in ("../evil", "a/b", "", "Knoten ä")
    ]

    assert names == [".._evil", "a_b", "spool", "Knoten_"]


def test_a_killed_process_leaves_its_directory_to_others(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(theirs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        ours = claim_named(tmp_path, "ours")
        while_alive = list(claim_abandoned(tmp_path, ours.path))
        process.kill()

    afterwards = [c.path for c in claim_abandoned(tmp_path, ours.path)]

    assert (while_alive, afterwards) == ([], [theirs])


def test_what_is_no_spool_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "other").mkdir()
    ours = claim_named(tmp_path, "ours")

    assert list(claim_abandoned(tmp_path, ours.path)) == []
