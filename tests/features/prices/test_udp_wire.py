"""Datagrams read as the two forms, or not at all."""

from __future__ import annotations

import hmac
import json
from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from trinity_beast.features.keys import KeyUnknown, hash_of
from trinity_beast.features.prices.errors import RateLimited
from trinity_beast.features.prices.udp_wire import (
    MOST_BYTES,
    DatagramUnreadable,
    Plain,
    Question,
    Signed,
    error_answer,
    is_request_id,
    mac_of,
    read_datagram,
    with_id,
)
from trinity_beast.toolkit.http.problems import PayloadTooLarge

KEY = "ak_live_0123456789abcdefghij"
KEY_HASH = hash_of(KEY)
SIGNED = f"TB1 {KEY_HASH[:16]} 1790000000000 00ff00ff00ff00ff btc,ETH".encode()


def asked(text: str) -> Question:
    read = read_datagram(f"{KEY} {text}".encode())
    assert isinstance(read, Plain)
    assert read.secret == KEY
    return read.question


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("BTC", Question(("BTC",))),
        ("btc", Question(("BTC",))),
        ("BTC,eth,btc", Question(("BTC", "ETH"), is_batch=True)),
        ("BTC,", Question(("BTC",), is_batch=True)),
        ("BTC id-1_X", Question(("BTC",), request_id=b"id-1_X")),
        ("BTC,ETH 7", Question(("BTC", "ETH"), is_batch=True, request_id=b"7")),
        ("1,2,3,4,5,6,7,8", Question(tuple("12345678"), is_batch=True)),
        ("BTC\n", Question(("BTC",))),
        ("BTC id\r\n", Question(("BTC",), request_id=b"id")),
    ],
)
def test_a_plain_datagram(text: str, question: Question) -> None:
    assert asked(text) == question


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_request"),
        (",", "invalid_request"),
        ("1,2,3,4,5,6,7,8,9", "too_many_assets"),
        ("BTC " + "i" * 33, "invalid_request"),
        ("BTC no.dots", "invalid_request"),
        ("BTC ", "invalid_request"),
        ("BTC one two", "invalid_request"),
        ("BTC  two-spaces", "invalid_request"),
    ],
)
def test_what_is_wrong_with_a_question_waits_for_the_key(text: str, code: str) -> None:
    fault = asked(text).fault

    assert fault is not None
    assert fault.code == code


def test_a_key_alone_asks_for_nothing() -> None:
    read = read_datagram(KEY.encode())

    assert isinstance(read, Plain)
    assert read.question.fault is not None


@pytest.mark.parametrize(
    "datagram",
    [b"", b" ", b"short BTC", b" BTC", b"k\xffy_00000000 BTC", b"TB1 BTC", b"x" * 201],
)
def test_what_has_neither_form_is_refused(datagram: bytes) -> None:
    with pytest.raises(DatagramUnreadable):
        read_datagram(datagram)


def test_a_long_datagram_is_refused() -> None:
    with pytest.raises(PayloadTooLarge):
        read_datagram(f"{KEY} BTC".encode().ljust(MOST_BYTES + 1))


def test_a_signed_datagram_is_what_the_contract_says() -> None:
    whole = hmac.new(bytes.fromhex(KEY_HASH), SIGNED, "sha256").hexdigest()

    read = read_datagram(SIGNED + f" {whole[:32]}".encode())

    assert isinstance(read, Signed)
    assert read == Signed(
        key_id=KEY_HASH[:16],
        sent_ms=1790000000000,
        nonce=0x00FF00FF00FF00FF,
        assets=b"btc,ETH",
        signed=SIGNED,
        mac=whole[:32].encode(),
    )
    assert read.question == Question(("BTC", "ETH"), is_batch=True)
    assert read.is_signed_by(KEY_HASH)
    assert not read.is_signed_by(hash_of("another key"))
    assert not read.is_signed_by("not a hash")


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_no_byte_of_a_signed_datagram_can_be_changed(at: int, change: int) -> None:
    altered = bytearray(SIGNED + b" " + mac_of(SIGNED, KEY_HASH))
    altered[at] ^= change

    try:
        read = read_datagram(bytes(altered))
    except DatagramUnreadable:
        return
    assert isinstance(read, Plain) or not read.is_signed_by(KEY_HASH)


@pytest.mark.parametrize(
    "text",
    [
        SIGNED.decode() + " " + "a" * 31,
        SIGNED.decode() + "  " + "a" * 32,
        f"TB1 {KEY_HASH[:15]}G 1790000000000 00ff00ff00ff00ff BTC {'a' * 32}",
        f"TB1 {KEY_HASH[:16]} -1 00ff00ff00ff00ff BTC {'a' * 32}",
        f"TB1 {KEY_HASH[:16]} 1790000000000 00ff00ff00ff00f BTC {'a' * 32}",
        f"TB1 {KEY_HASH[:16]} 1790000000000 00ff00ff00ff00ff BTC ETH {'a' * 32}",
    ],
)
def test_a_signed_datagram_has_exactly_six_words(text: str) -> None:
    with pytest.raises(DatagramUnreadable):
        read_datagram(text.encode())


def test_errors_say_their_code_and_when_to_ask_again() -> None:
    assert error_answer(KeyUnknown()) == b'{"error":"unknown_key"}'
    assert error_answer(RateLimited(retry_after_ms=120), b"a-1") == (
        b'{"id":"a-1","error":"rate_limited","retry_after_ms":120}'
    )


def test_an_answer_takes_the_id_of_its_request_first() -> None:
    assert with_id(b'{"asset":"BTC"}', b"") == b'{"asset":"BTC"}'
    assert with_id(b'{"asset":"BTC"}', b"x") == b'{"id":"x","asset":"BTC"}'


@given(st.binary(max_size=40))
def test_an_id_that_is_accepted_cannot_break_the_json(text: bytes) -> None:
    if is_request_id(text):
        assert json.loads(with_id(b"{}", text)[:-2] + b"}") == {"id": text.decode()}


@given(st.binary(max_size=1_300))
def test_any_bytes_are_read_or_refused(datagram: bytes) -> None:
    with suppress(DatagramUnreadable, PayloadTooLarge):
        read_datagram(datagram)
