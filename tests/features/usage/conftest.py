"""What tests of the writing side share."""

from __future__ import annotations

import pytest

from support.usage_books import Books
from trinity_beast.toolkit.work import UnitOfWork


@pytest.fixture
def books(work: UnitOfWork) -> Books:
    return Books(work)
