from __future__ import annotations

from pathlib import Path

import pytest

from trinity_beast.apps.reference import main, render_all

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(render_all()))
def test_the_reference_is_what_the_code_says(name: str, tmp_path: Path) -> None:
    main(tmp_path)

    written = (tmp_path / name).read_text(encoding="utf-8")
    assert (FOLDER / name).read_text(encoding="utf-8") == written, (
        "write it again: python -m trinity_beast.apps.reference docs/reference"
    )
