from __future__ import annotations

import os
import resource
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from trinity_beast.features.usage import Spool, SpoolFull


def emptied(spool: Spool) -> list[bytes]:
    bodies: list[bytes] = []
    while (batch := spool.oldest()) is not None:
        bodies.append(batch.body)
        spool.forget(batch)
    return bodies


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@contextmanager
def files_of_at_most(size: int) -> Generator[None]:
    """Let the kernel refuse larger files, as it does when a disk is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_batches_come_back_in_order_over_many_segments(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "node", segment_bytes=100)
    bodies = [f"batch {n:03d} {'x' * 30}".encode() for n in range(50)]

    for start in range(0, 50, 2):
        spool.append(bodies[start : start + 2])

    assert emptied(spool) == bodies
    assert (spool.is_empty, spool.waiting_bytes) == (True, 0)
    assert names(tmp_path / "node") == ["lock"]


def test_what_is_added_while_reading_comes_last(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "node")
    spool.append([b"1", b"2"])
    first = spool.oldest()

    spool.append([b"3"])

    assert first is not None
    assert emptied(spool) == [b"1", b"2", b"3"]


def test_a_batch_stays_until_it_is_forgotten_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "node")
    spool.append([b"1", b"2"])
    first = spool.oldest()
    assert first is not None
    assert spool.oldest() is first

    spool.forget(first)
    spool.forget(first)

    assert emptied(spool) == [b"2"]
    spool.forget(first)


def test_a_segment_goes_only_when_each_of_its_batches_went(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "node")
    spool.append([b"1", b"2"])
    first = spool.oldest()
    assert first is not None

    spool.forget(first)

    assert names(tmp_path / "node") == ["0000000000000001.segment", "lock"]


def test_the_next_process_of_the_name_goes_on_with_what_is_there(
    tmp_path: Path,
) -> None:
    before = Spool(tmp_path, "node")
    before.append([b"1", b"2"])
    before.close()

    after = Spool(tmp_path, "node")
    after.append([b"3"])

    assert after.waiting_bytes == 3 * 9
    assert emptied(after) == [b"1", b"2", b"3"]


def test_a_crash_in_the_middle_of_a_replay_repeats_the_segment(tmp_path: Path) -> None:
    before = Spool(tmp_path, "node")
    before.append([b"1", b"2"])
    batch = before.oldest()
    assert batch is not None
    before.forget(batch)
    before.close()

    assert emptied(Spool(tmp_path, "node")) == [b"1", b"2"]


def test_the_dead_leave_their_batches_and_nothing_else(tmp_path: Path) -> None:
    for number in (1, 2):
        dead = Spool(tmp_path, f"node-{number}")
        dead.append([f"{number}a".encode()])
        dead.append([f"{number}b".encode()])
        dead.close()

    ours = Spool(tmp_path, "node-3")

    assert names(tmp_path) == ["node-3"]
    assert emptied(ours) == [b"1a", b"1b", b"2a", b"2b"]


def test_the_living_keep_their_batches(tmp_path: Path) -> None:
    living = Spool(tmp_path, "node-1")
    living.append([b"theirs"])

    ours = Spool(tmp_path, "node-2")

    assert emptied(ours) == []
    assert emptied(living) == [b"theirs"]


def test_an_empty_spool_leaves_no_trace(tmp_path: Path) -> None:
    Spool(tmp_path, "node").close()

    assert names(tmp_path) == []


def test_a_torn_tail_costs_only_what_was_never_safe(tmp_path: Path) -> None:
    killed = Spool(tmp_path, "node")
    killed.append([b"first"])
    killed.append([b"second"])
    killed.close()
    segment = tmp_path / "node" / "0000000000000001.segment"
    os.truncate(segment, segment.stat().st_size - 1)

    after = Spool(tmp_path, "node")
    after.append([b"third"])

    assert emptied(after) == [b"first", b"third"]
    assert names(tmp_path / "node") == ["0000000000000001.damaged", "lock"]


def test_a_damaged_copy_moves_on_with_the_directory(tmp_path: Path) -> None:
    killed = Spool(tmp_path, "node-1")
    killed.append([b"first"])
    killed.close()
    segment = tmp_path / "node-1" / "0000000000000001.segment"
    segment.write_bytes(b"\x05\0\0\0\0\0\0\0first")

    first = Spool(tmp_path, "node-2")
    found = emptied(first)
    first.close()
    second = Spool(tmp_path, "node-3")
    second.append([b"new"])

    assert found == []
    assert names(tmp_path) == ["node-3"]
    assert names(tmp_path / "node-3") == [
        "0000000000000001.damaged",
        "0000000000000002.segment",
        "lock",
    ]


def test_a_segment_that_somebody_took_away_stops_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "node", segment_bytes=1)
    spool.append([b"1"])
    spool.append([b"2"])
    (tmp_path / "node" / "0000000000000001.segment").unlink()

    assert emptied(spool) == [b"2"]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    Spool(tmp_path, "node").append([b"1"])
    (tmp_path / "node-2").mkdir()
    (tmp_path / "node-2" / "README.segment").touch()

    assert emptied(Spool(tmp_path, "node-2")) == []


def test_a_full_spool_takes_all_of_a_call_or_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "node", limit_bytes=40)
    spool.append([b"1" * 10])

    with pytest.raises(SpoolFull) as refused:
        spool.append([b"2" * 10, b"3" * 10])

    assert refused.value.message == (
        "The usage spool takes no more: 40 bytes are its limit."
    )
    spool.append([b"4" * 10])
    assert emptied(spool) == [b"1" * 10, b"4" * 10]
    spool.append([b"5" * 10])


def test_a_disk_that_is_full_at_a_new_file_leaves_none_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "node")
    (tmp_path / "node" / "0000000000000001.segment").symlink_to("/dev/full")

    with pytest.raises(SpoolFull) as refused:
        spool.append([b"1"])

    assert refused.value.message == (
        "The usage spool takes no more: No space left on device."
    )
    assert spool.is_empty
    assert names(tmp_path / "node") == ["lock"]


def test_a_disk_that_is_full_in_the_middle_costs_nothing_that_was_safe(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path, "node")
    spool.append([b"1" * 1_000])

    with files_of_at_most(1_500), pytest.raises(SpoolFull):
        spool.append([b"2" * 1_000])
    spool.append([b"3" * 1_000])

    assert emptied(spool) == [b"1" * 1_000, b"3" * 1_000]
    assert names(tmp_path / "node") == ["lock"]


def test_threads_may_add_and_take_at_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "node", segment_bytes=200)
    bodies = [f"{n:05d}".encode() for n in range(300)]

    def add() -> None:
        for body in bodies:
            spool.append([body])

    with ThreadPoolExecutor(1) as threads:
        adding = threads.submit(add)
        taken: list[bytes] = []
        while not adding.done():
            taken += emptied(spool)
        taken += emptied(spool)

    assert taken == bodies
