"""The repository speaks of itself alone and holds no secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOSTS = re.compile(r"https?://[^\s\"']*/simple\b|//(?:registry|pypi|files)\.[a-z]")
SECRET = re.compile(r"\b(?:sk|rk|whsec)_(?:live_|test_)?[0-9A-Za-z]{20,}")
KEY = re.compile(r"tb_(?:live|admin)_[0-9A-Za-z]{38,}")


def tracked_texts() -> list[tuple[str, str]]:
    names = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    files = [(name, ROOT / name) for name in names if name]
    return [
        (name, file.read_text(encoding="utf-8", errors="replace"))
        for name, file in files
        if file.is_file()
    ]


def test_no_file_names_a_package_host_or_holds_a_secret() -> None:
    texts = tracked_texts()

    found = {
        name
        for name, text in texts
        for pattern in (HOSTS, SECRET, KEY)
        if pattern.search(text)
    }
    assert len(texts) > 10
    assert found == set()
