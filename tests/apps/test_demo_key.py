from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trinity_beast.apps.demo_key import ensure_demo_key, read_demo_key

if TYPE_CHECKING:
    from trinity_beast.features.keys import KeyService


async def test_a_demo_keeps_its_key_from_start_to_start(
    tmp_path: Path,
    keys: KeyService,
) -> None:
    first = await ensure_demo_key(tmp_path, keys)
    second = await ensure_demo_key(tmp_path, keys)

    assert first == second == read_demo_key(tmp_path)
    assert (tmp_path / "demo-key").stat().st_mode & 0o777 == 0o600


async def test_a_demo_whose_key_was_revoked_gets_another(
    tmp_path: Path,
    keys: KeyService,
) -> None:
    first = await ensure_demo_key(tmp_path, keys)
    await keys.revoke(first)

    second = await ensure_demo_key(tmp_path, keys)

    assert second != first
    assert read_demo_key(tmp_path) == second


def test_a_home_without_a_demo_has_no_key(tmp_path: Path) -> None:
    assert read_demo_key(tmp_path) is None
