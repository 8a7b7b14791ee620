from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from trinity_beast.features.usage import RowsRefused
from trinity_beast.features.usage.repository import telling_refusals_from_absence
from trinity_beast.kernel.errors import BeastError
from trinity_beast.toolkit.work import DatabaseAway


def wrapped(error: Exception) -> DBAPIError:
    """Return the error as SQLAlchemy hands it on."""
    wrapper = DBAPIError("SELECT 1", None, error)
    wrapper.__cause__ = error
    return wrapper


@pytest.mark.parametrize(
    ("error", "expected", "reason"),
    [
        (
            asyncpg.NumericValueOutOfRangeError(),
            RowsRefused,
            "22003 NumericValueOutOfRangeError",
        ),
        (wrapped(asyncpg.NotNullViolationError()), RowsRefused, "23502 DBAPIError"),
        (
            asyncpg.DeadlockDetectedError(),
            DatabaseAway,
            "DeadlockDetectedError 40P01",
        ),
        (wrapped(asyncpg.DiskFullError()), DatabaseAway, "DBAPIError 53100"),
        (asyncpg.InterfaceError("closed"), DatabaseAway, "InterfaceError"),
        (InvalidRequestError("closed"), DatabaseAway, "InvalidRequestError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_speaks_of_the_rows_refuses_them(
    error: Exception,
    expected: type[BeastError],
    reason: str,
) -> None:
    with pytest.raises(expected) as told, telling_refusals_from_absence():
        raise error

    assert told.value.context == {"reason": reason}
    assert told.value.__cause__ is error
