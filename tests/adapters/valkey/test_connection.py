from __future__ import annotations

import pytest

from trinity_beast.adapters.valkey import ValkeyUrl, open_valkey


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("valkey://cache", ValkeyUrl("cache")),
        ("redis://cache:6380/5", ValkeyUrl("cache", 6380, database=5)),
        ("valkey://:p%40ss@cache/", ValkeyUrl("cache", password="p@ss")),
        (
            "valkeys://ann:secret@cache:7000/1",
            ValkeyUrl("cache", 7000, "ann", "secret", 1, tls=True),
        ),
        ("rediss://cache", ValkeyUrl("cache", tls=True)),
        ("valkey://[::1]:6379", ValkeyUrl("::1")),
    ],
)
def test_a_url_says_where_valkey_is(url: str, expected: ValkeyUrl) -> None:
    assert ValkeyUrl.parse(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cache:6379",
        "http://:secret@cache",
        "valkey://",
        "valkey://:secret@cache/x",
        "valkey://:secret@cache:99999",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_showing_its_password(
    url: str,
) -> None:
    with pytest.raises(ValueError, match="a Valkey URL reads") as caught:
        ValkeyUrl.parse(url)
    assert "secret" not in str(caught.value)


def test_a_password_does_not_show_in_a_log() -> None:
    assert "secret" not in repr(ValkeyUrl.parse("valkey://:secret@cache"))


async def test_a_client_can_be_told_by_its_name(valkey_url: str) -> None:
    client = await open_valkey(valkey_url, client_name="beast-test")

    assert await client.client_getname() == b"beast-test"
    await client.close()


async def test_a_client_can_be_made_for_an_encrypted_server_that_is_away() -> None:
    url = "valkeys://ann:secret@127.0.0.1:1/0"

    client = await open_valkey(url, client_name="beast-test")

    credentials = client.config.credentials
    assert client.config.use_tls
    assert credentials is not None
    assert (credentials.username, credentials.password) == ("ann", "secret")
    await client.close()
