from __future__ import annotations

import pytest

from trinity_beast.toolkit.http.credentials import (
    KeyInQuery,
    KeysDiffer,
    check_no_key_in,
    secret_of,
)
from trinity_beast.toolkit.http.requests import HeaderRepeated


def scope(*headers: tuple[str, str]) -> dict[str, object]:
    return {
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers]
    }


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ([], ""),
        ([("authorization", "Bearer abc")], "abc"),
        ([("authorization", "bearer   abc ")], "abc"),
        ([("x-api-key", " abc ")], "abc"),
        ([("authorization", "Bearer abc"), ("x-api-key", "abc")], "abc"),
        ([("authorization", "Basic dXNlcjpwdw==")], ""),
        ([("authorization", "Basic dXNlcjpwdw=="), ("x-api-key", "abc")], "abc"),
        ([("authorization", "Bearer")], ""),
        ([("authorization", "Bearer caf\xe9")], "caf\xe9"),
    ],
)
def test_a_key_stands_in_either_header(
    headers: list[tuple[str, str]],
    secret: str,
) -> None:
    assert secret_of(scope(*headers)) == secret


def test_two_different_keys_are_refused() -> None:
    with pytest.raises(KeysDiffer):
        secret_of(scope(("authorization", "Bearer abc"), ("x-api-key", "abd")))


def test_a_repeated_header_is_refused() -> None:
    with pytest.raises(HeaderRepeated):
        secret_of(scope(("x-api-key", "abc"), ("x-api-key", "abc")))


@pytest.mark.parametrize(
    "query",
    [
        {"api_key": "abc"},
        {"KEY": ""},
        {"token": "x"},
        {"asset": "tb_live_abc"},
        {"asset": "Bearer ak_live_abc"},
        {"tb_live_abc": ""},
    ],
)
def test_a_key_in_the_query_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(KeyInQuery):
        check_no_key_in(query)


def test_other_parameters_are_none_of_its_business() -> None:
    check_no_key_in({"asset": "KEY", "keys": "1"})
