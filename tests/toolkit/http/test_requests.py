from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st
from starlette.types import Message

from trinity_beast.toolkit.http.requests import (
    BodyUnreadable,
    ClientGone,
    ContentTypeWrong,
    HeaderRepeated,
    ParameterRepeated,
    QueryUnreadable,
    body_of,
    header_of,
    json_object_of,
    query_of,
    quoted,
)


def scope(query: bytes = b"", **headers: str) -> dict[str, object]:
    return {
        "type": "http",
        "query_string": query,
        "headers": [
            (name.replace("_", "-").encode(), value.encode("latin-1"))
            for name, value in headers.items()
        ],
    }


def test_a_query_is_read_as_percent_encoded_utf8() -> None:
    query = b"asset=BTC&name=caf%C3%A9+au+lait&&empty=&bare"

    assert query_of(scope(query)) == {
        "asset": "BTC",
        "name": "café au lait",
        "empty": "",
        "bare": "",
    }


def test_no_query_is_no_parameters() -> None:
    assert query_of(scope()) == {}


@pytest.mark.parametrize("query", [b"a=%", b"a=%zz", b"a=%F", b"a=%FF", b"\xff=1"])
def test_a_broken_query_is_refused(query: bytes) -> None:
    with pytest.raises(QueryUnreadable):
        query_of(scope(query))


def test_a_parameter_given_twice_is_refused_by_name() -> None:
    with pytest.raises(ParameterRepeated) as refusal:
        query_of(scope(b"asset=BTC&%61sset=ETH"))

    assert refusal.value.message == "The parameter asset is given more than once."


@given(st.binary(max_size=60))
def test_any_query_is_read_or_refused(query: bytes) -> None:
    with suppress(ParameterRepeated, QueryUnreadable):
        assert isinstance(query_of(scope(query)), dict)


def test_shown_text_is_short_and_ascii() -> None:
    assert quoted("caf\u00e9\ud800" + "x" * 100) == "caf\\xe9\\ud800" + "x" * 35


def test_a_header_that_comes_twice_is_refused() -> None:
    twice = scope()
    twice["headers"] = [(b"x-api-key", b"a"), (b"x-api-key", b"a")]

    with pytest.raises(HeaderRepeated):
        header_of(twice, "x-api-key")


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/problem+json",
    ],
)
def test_json_is_taken_in_utf8(content_type: str | None) -> None:
    sent = scope(content_type=content_type) if content_type else scope()

    assert json_object_of(sent, '{"a":["é"]}'.encode()) == {"a": ["é"]}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "application/jsonp",
    ],
)
def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(ContentTypeWrong):
        json_object_of(scope(content_type=content_type), b"{}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b"[" * 60_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a":' + b"9" * 50_000 + b"}",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BodyUnreadable):
        json_object_of(scope(), body)


def test_a_member_given_twice_is_refused_by_name() -> None:
    with pytest.raises(ParameterRepeated) as refusal:
        json_object_of(scope(), b'{"assets":["BTC"],"assets":["ETH"]}')

    assert refusal.value.message == "The parameter assets is given more than once."


@given(st.binary(max_size=60))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    with suppress(ParameterRepeated, BodyUnreadable):
        assert isinstance(json_object_of(scope(), body), dict)


async def test_a_body_is_put_together_from_its_pieces() -> None:
    pieces: list[Message] = [
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "more_body": True},
        {"type": "http.request", "body": b"c"},
    ]

    async def receive() -> Message:
        return pieces.pop(0)

    assert await body_of(receive) == b"abc"


async def test_a_client_that_hangs_up_is_not_a_short_body() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientGone):
        await body_of(receive)
