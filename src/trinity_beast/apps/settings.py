"""Settings: the environment, read once, typed, with units.

One frozen class per part.  Each field's alias is the name of its environment variable,
its description says what it means and in which unit; `beast settings` and
docs/reference/settings.md are made from these.  What operators change while the system
runs is not here but in the database (features.parameters).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from trinity_beast.kernel.errors import Invalid

Port = Annotated[int, Field(ge=0, le=65535)]
Network = IPv4Network | IPv6Network


class SettingsInvalid(Invalid):
    """An environment variable holds something that cannot be used."""

    code = "settings_invalid"
    template = "{problems}"


class _Part(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore")


class NodeSettings(_Part):
    """Who this process is and where it keeps its files."""

    home: Path = Field(
        Path("var"),
        alias="BEAST_HOME",
        description="Folder of the embedded servers, spool files and the price board.",
    )
    name: str = Field(
        "BeastMain",
        alias="CLUSTER_NODE",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="Name of this node in answers and usage records.",
    )
    region: str = Field(
        "us-east-2",
        alias="AWS_REGION",
        pattern=r"^[A-Za-z0-9-]{1,40}$",
        description="Region of this node in answers and usage records.",
    )
    log_level: Literal["debug", "info", "warn", "error"] = Field(
        "info",
        alias="LOG_LEVEL",
        description="Quietest log line that is written.",
    )


class ListenSettings(_Part):
    """Addresses of the listeners."""

    host: str = Field(
        "127.0.0.1",
        alias="HOST",
        description="Address that all listeners bind to.",
    )
    lpo_port: Port = Field(
        8080,
        alias="LPO_PORT",
        description="TCP port of prices and the public catalogue.",
    )
    lrs_port: Port = Field(9090, alias="LRS_PORT", description="TCP port of reports.")
    lpo_udp_port: Port = Field(
        2679,
        alias="LPO_UDP_PORT",
        description="UDP port of prices.",
    )
    lrs_udp_port: Port = Field(
        2680,
        alias="LRS_UDP_PORT",
        description="UDP port of report summaries.",
    )
    push_port: Port = Field(
        8083,
        alias="PUSH_PORT",
        description="TCP port of the webhook engine's health.",
    )
    trusted_hops: Annotated[tuple[Network, ...], NoDecode] = Field(
        (),
        alias="TRUSTED_HOPS",
        description=(
            "Networks of load balancers whose X-Forwarded-For is believed, "
            "separated by commas."
        ),
    )

    @field_validator("trusted_hops", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value


class StoreSettings(_Part):
    """Outside database and cache; without them the embedded ones are started."""

    database_url: SecretStr | None = Field(
        None,
        alias="DATABASE_URL",
        description="PostgreSQL 15 to 18, such as postgresql://user:pw@host/name.",
    )
    valkey_url: SecretStr | None = Field(
        None,
        alias="VALKEY_URL",
        description="Valkey, such as valkey://:pw@host:6379/0 (valkeys:// for TLS).",
    )
    key_storage: Literal["sealed", "plaintext"] = Field(
        "sealed",
        alias="KEY_STORAGE",
        description="How API keys are kept: only their hash, or the key itself too.",
    )


class Settings(NamedTuple):
    """Everything that the environment decides."""

    node: NodeSettings
    listen: ListenSettings
    store: StoreSettings


_AnyPart = TypeVar("_AnyPart", bound=_Part)


class SettingLine(NamedTuple):
    """One setting as it is shown to people; secrets are masked."""

    variable: str
    value: str
    default: str
    meaning: str


def read_settings() -> Settings:
    """Return the settings of this process's environment.

    Raises:
        SettingsInvalid: Some variables cannot be used; all of them are named.
    """
    problems: list[str] = []
    node = _read(NodeSettings, problems)
    listen = _read(ListenSettings, problems)
    store = _read(StoreSettings, problems)
    if node is None or listen is None or store is None:
        raise SettingsInvalid(problems="; ".join(problems))
    return Settings(node, listen, store)


def environment_with(**changes: str) -> dict[str, str]:
    """Return this process's environment with some variables set, for a child."""
    return {**os.environ, **changes}


def list_settings(settings: Settings) -> Iterator[SettingLine]:
    """Yield every setting with its value, default and meaning."""
    for part in settings:
        for name, field in type(part).model_fields.items():
            value: object = getattr(part, name)
            yield SettingLine(
                variable=field.alias or name,
                value=_shown(value),
                default=_shown(_default(field)),
                meaning=field.description or "",
            )


def _read(part: type[_AnyPart], problems: list[str]) -> _AnyPart | None:
    try:
        return part()
    except ValidationError as error:
        problems.extend(_in_plain_words(error))
        return None


def _default(field: FieldInfo) -> object:
    default: object = field.default
    return default


def _shown(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - only printed
    return str(value)


def _in_plain_words(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        yield f"{problem['loc'][0]}: {problem['msg']} (got {problem['input']!r})"
