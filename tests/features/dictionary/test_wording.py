"""What PostgreSQL prints and what the dictionary writes become one wording."""

from __future__ import annotations

import pytest

from trinity_beast.features.dictionary.wording import (
    check_words,
    column_words,
    plain_default,
    plain_type,
)


@pytest.mark.parametrize(
    ("kind", "text", "plain"),
    [
        ("text", None, ""),
        ("varchar(5)", "NULL::character varying", ""),
        ("text", "'free'", "'free'"),
        ("text", "'free'::text", "'free'"),
        ("varchar(500)", "''::character varying", "''"),
        ("varchar(20)", "'draft'::character varying(20)", "'draft'"),
        ("text", "'it''s'::text", "'it''s'"),
        ("text", "'5'::text", "'5'"),
        ("jsonb", "'{}'::jsonb", "'{}'"),
        ("integer", "1000", "1000"),
        ("integer", "'7'::integer", "7"),
        ("integer", "(-1)", "-1"),
        ("numeric", "20.0", "20"),
        ("numeric", "(20)::numeric", "20"),
        ("numeric", "'0.10'::numeric", "0.1"),
        ("boolean", "false", "false"),
        ("timestamptz", "now()", "now()"),
        ("timestamptz", "CURRENT_TIMESTAMP", "now()"),
        ("integer", "EXTRACT(MONTH FROM NOW())", "extract(month from now())"),
        (
            "integer",
            "(EXTRACT(month FROM now()))::integer",
            "extract(month from now())",
        ),
        ("integer", "date_part('month'::text, now())", "extract(month from now())"),
        (
            "integer",
            "(date_part('month'::text, now()))::integer",
            "extract(month from now())",
        ),
        ("bigint", "nextval('t_id_seq'::regclass)", "auto-increment"),
    ],
)
def test_a_default_has_one_wording(kind: str, text: str | None, plain: str) -> None:
    assert plain_default(kind, text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("character varying(5)", "varchar(5)"),
        ("character varying", "varchar"),
        ("timestamp with time zone", "timestamptz"),
        ("timestamp without time zone", "timestamp without time zone"),
        ("double precision", "double precision"),
    ],
)
def test_a_type_has_the_dictionarys_name(text: str, plain: str) -> None:
    assert plain_type(text) == plain


def test_a_serial_is_an_integer_that_counts_by_itself() -> None:
    counted = column_words("serial", None, nullable=False)

    assert counted == "integer not null auto-increment"
    assert counted == column_words("integer", "nextval('s'::regclass)", nullable=False)
    assert column_words("bigserial", None, nullable=False) == (
        "bigint not null auto-increment"
    )


@pytest.mark.parametrize(
    "definition",
    [
        "CHECK ((tier = ANY (ARRAY['b'::text, 'a'::text])))",
        "CHECK (((tier)::text = ANY (ARRAY['a'::text, 'b'::text])))",
        (
            "CHECK (((tier)::text = ANY ((ARRAY['a'::character varying, "
            "'b'::character varying])::text[])))"
        ),
        "CHECK ((\"tier\" = ANY (ARRAY['a'::text, 'b'::text])))",
    ],
)
def test_a_list_of_allowed_texts_has_one_wording(definition: str) -> None:
    assert check_words(definition) == ("tier", "one of a, b")


def test_another_kind_of_check_has_no_wording() -> None:
    assert check_words("CHECK ((length(name) < 9))") is None
