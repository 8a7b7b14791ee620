"""The key that a demo prints: kept in its home, so that each start prints the same one.

Only `beast demo` does this; anywhere else a key is shown once and kept by its owner.
"""

from __future__ import annotations

import os
from pathlib import Path

from trinity_beast.features.keys import KeyService, hash_of

EMAIL = "demo@example.org"
TIER = "unlimited"
_FILE = "demo-key"


def read_demo_key(home: Path) -> str | None:
    """Return the key of this home's demo, or None when it never had one."""
    try:
        return (home / _FILE).read_text(encoding="ascii").strip() or None
    except OSError:
        return None


async def ensure_demo_key(home: Path, keys: KeyService) -> str:
    """Return a key that works, making one unless the last demo's still does."""
    kept = read_demo_key(home)
    if kept is not None:
        known = await keys.find_by_hash(hash_of(kept))
        if known is not None and not known.revoked:
            return kept
    issued = await keys.create(EMAIL, TIER, name="Demo")
    _write_private(home / _FILE, issued.secret)
    return issued.secret


def _write_private(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
    draft.replace(path)
