from __future__ import annotations

import pytest

from trinity_beast.kernel.errors import Invalid, Unavailable
from trinity_beast.toolkit.tolerating import tolerating


def test_what_is_tolerated_passes_by() -> None:
    with tolerating(Unavailable, because="somebody else repairs it"):
        raise Unavailable


def test_anything_else_is_raised() -> None:
    with (
        pytest.raises(Invalid),
        tolerating(Unavailable, because="somebody else repairs it"),
    ):
        raise Invalid
