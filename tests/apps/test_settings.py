from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from trinity_beast.apps.settings import SettingsInvalid, list_settings, read_settings


def test_without_an_environment_the_defaults_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("BEAST_HOME", "LPO_PORT", "HOST", "DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)

    settings = read_settings()

    assert settings.node.home == Path("var")
    assert (settings.listen.host, settings.listen.lpo_port) == ("127.0.0.1", 8080)
    assert settings.store.database_url is None
    assert settings.store.key_storage == "sealed"


def test_the_environment_is_read_and_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LPO_PORT", "18080")
    monkeypatch.setenv("TRUSTED_HOPS", "10.0.0.0/8, 127.0.0.1")

    settings = read_settings()

    assert settings.listen.lpo_port == 18080
    assert settings.listen.trusted_hops == (
        ip_network("10.0.0.0/8"),
        ip_network("127.0.0.1"),
    )


def test_everything_that_cannot_be_used_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LPO_PORT", "eighty")
    monkeypatch.setenv("LOG_LEVEL", "loud")

    with pytest.raises(SettingsInvalid) as caught:
        read_settings()

    assert "LPO_PORT" in caught.value.message
    assert "'eighty'" in caught.value.message
    assert "LOG_LEVEL" in caught.value.message


def test_secrets_are_masked_when_settings_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:s3cret@h/d")
    monkeypatch.setenv("TRUSTED_HOPS", "10.0.0.0/8,::1")

    lines = {line.variable: line for line in list_settings(read_settings())}

    assert "s3cret" not in str(lines)
    assert lines["TRUSTED_HOPS"].value == "10.0.0.0/8,::1/128"
    assert lines["LPO_PORT"].default == "8080"
    assert all(line.meaning for line in lines.values())
