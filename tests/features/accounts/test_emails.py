"""Which texts are e-mail addresses, and how they are stored."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from trinity_beast.features.accounts import InvalidEmail, normalised_email


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("ann@example.org", "ann@example.org"),
        ("  Ann@Example.ORG \n", "Ann@example.org"),
        ("first.last+beast@mail.example.co.uk", "first.last+beast@mail.example.co.uk"),
        ("o'neill=x@a-b.example", "o'neill=x@a-b.example"),
        ("jürgen@MÜNCHEN.example", "jürgen@münchen.example"),
    ],
)
def test_addresses_are_trimmed_and_their_domain_lowered(text: str, stored: str) -> None:
    assert normalised_email(text) == stored


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it has no @"),
        ("ann", "it has no @"),
        ("@example.org", "what stands before the @ cannot be there"),
        ("ann@", "what stands after the @ is no domain"),
        ("ann@localhost", "what stands after the @ is no domain"),
        ("ann@example..org", "what stands after the @ is no domain"),
        ("ann@-example.org", "what stands after the @ is no domain"),
        ("ann@example.org.", "what stands after the @ is no domain"),
        ("ann.@example.org", "what stands before the @ cannot be there"),
        ("ann bee@example.org", "what stands before the @ cannot be there"),
        ("ann@bee@example.org", "what stands before the @ cannot be there"),
        ("ann\u200b@example.org", "what stands before the @ cannot be there"),
        ("ann\r\nBcc:x@example.org", "what stands before the @ cannot be there"),
        ("Ann <ann@example.org>", "what stands before the @ cannot be there"),
        ("a" * 65 + "@example.org", "more than 64 characters stand before the @"),
        ("a@" + "b." * 130 + "org", "it is longer than 254 characters"),
    ],
)
def test_what_is_no_address_is_told_why(text: str, problem: str) -> None:
    with pytest.raises(InvalidEmail) as error:
        normalised_email(text)
    assert error.value.message == f"This is not an e-mail address: {problem}."


@given(st.text())
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    try:
        stored = normalised_email(text)
    except InvalidEmail:
        return
    assert normalised_email(stored) == stored
