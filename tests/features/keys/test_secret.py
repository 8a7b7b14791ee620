"""A key says by itself whether it was typed right."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, strategies as st

from support.randomness import SeededRandomness
from trinity_beast.features.keys import (
    display_form,
    hash_of,
    is_ours,
    is_well_formed,
    new_secret,
)

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
LENGTH = 46

secrets = st.integers(0, 2**32).map(lambda seed: new_secret(SeededRandomness(seed)))


class ScriptedRandomness(SeededRandomness):
    """Gives the bytes it was told to give."""

    def __init__(self, script: bytes) -> None:
        super().__init__()
        self._script = script

    def token_bytes(self, count: int) -> bytes:
        drawn, self._script = self._script[:count], self._script[count:]
        return drawn


@given(secrets)
def test_a_new_key_has_the_shape_that_is_promised(secret: str) -> None:
    assert re.fullmatch(r"tb_live_[0-9A-Za-z]{38}", secret)
    assert is_ours(secret)
    assert is_well_formed(secret)


@given(secrets, st.integers(0, LENGTH - 1), st.sampled_from(VISIBLE))
def test_one_wrong_character_anywhere_is_refused(
    secret: str,
    position: int,
    wrong: str,
) -> None:
    mistyped = secret[:position] + wrong + secret[position + 1 :]

    assert is_well_formed(mistyped) == (mistyped == secret)


@given(secrets, st.integers(0, LENGTH - 2))
def test_two_swapped_neighbours_anywhere_are_refused(secret: str, first: int) -> None:
    second = first + 1
    swapped = secret[:first] + secret[second] + secret[first] + secret[second + 1 :]

    assert is_well_formed(swapped) == (swapped == secret)


@given(secrets, st.integers(8, LENGTH - 1), st.sampled_from(VISIBLE))
def test_one_character_too_few_or_too_many_is_refused(
    secret: str,
    position: int,
    extra: str,
) -> None:
    assert not is_well_formed(secret[:position] + secret[position + 1 :])
    assert not is_well_formed(secret[:position] + extra + secret[position:])


def test_letters_are_drawn_without_favour() -> None:
    # 248 is the largest multiple of 62 in a byte; 255 would be a second "7".
    script = bytes([255] * 32 + [248] * 31 + [247] + list(range(62)) * 2)

    secret = new_secret(ScriptedRandomness(script))

    assert secret[8:40] == "z" + BASE62[:31]


def test_letters_of_many_keys_are_spread_evenly() -> None:
    randomness = SeededRandomness()
    drawn = Counter("".join(new_secret(randomness)[8:40] for _ in range(2000)))

    assert len(drawn) == 62
    assert max(drawn.values()) < 1.15 * min(drawn.values())


def test_other_prefixes_make_other_secrets() -> None:
    admin = new_secret(SeededRandomness(), "tb_admin_")

    assert admin.startswith("tb_admin_")
    assert is_ours(admin, "tb_admin_")
    assert not is_ours(admin)
    assert not is_ours("tb_live_" + admin.removeprefix("tb_admin_"))


@pytest.mark.parametrize(
    "secret",
    [
        "ak_live_4242424242",
        "12345678",
        "~" * 200,
        "tb_test_" + "x" * 38,
        "x" * 46,
        "tk_live_" + "0" * 38,
    ],
)
def test_keys_of_older_databases_are_accepted(secret: str) -> None:
    assert is_well_formed(secret)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "1234567",
        "x" * 201,
        "with space",
        "tab\there1",
        "ümlautkey",
        "line\nfeed1",
        "12345678\n",
        "tb_live_",
        "tb_live_" + "0" * 38,
        "tb_live_ABCD…wxyz",
        "\ud800" * 9,
    ],
)
def test_what_can_be_no_key_is_refused(secret: str) -> None:
    assert not is_well_formed(secret)


@given(st.text())
def test_any_text_can_be_asked_about(text: str) -> None:
    assert is_well_formed(text) in {True, False}
    assert re.fullmatch("[0-9a-f]{64}", hash_of(text))


def test_the_hash_is_sha_256() -> None:
    assert hash_of("abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("tb_live_" + "ABCD" + "-" * 30 + "wxyz", "tb_live_ABCD…wxyz"),
        ("tb_admin_ABCD0000000000wxyz", "tb_admin_ABCD…wxyz"),
        ("ak_live_ABCDEFGHIJKLMNOP", "ak_live_ABCD…MNOP"),
        ("ABCDEFGHIJKLMNOP", "ABCD…MNOP"),
        ("ABCDEFGHIJKLMNO", "A…O"),
        ("ABCDEFGH", "A…H"),
        ("ak_live_12", "ak_live_…"),
        ("my_secret_password_is_long", "my_s…long"),
    ],
)
def test_the_display_form_shows_little(secret: str, shown: str) -> None:
    assert display_form(secret) == shown


@given(secrets)
def test_a_display_form_is_no_key(secret: str) -> None:
    assert not is_well_formed(display_form(secret))
    assert display_form(secret) == f"{secret[:12]}…{secret[-4:]}"
