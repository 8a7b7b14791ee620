"""Wire shapes, for the API's description; the bodies themselves are made by hand."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

AssetName = Annotated[str, Field(description="Upper-case name.", examples=["BTC"])]


class PlainPrice(BaseModel):
    """A price in the plain format."""

    asset: AssetName
    price: float = Field(
        description="USD, with exactly the digits that the exchange wrote; read it as"
        " a decimal, not as a binary float.",
    )
    timestamp: str = Field(description="The exchange's trade time, RFC 3339, UTC.")
    source: str = Field(description="Feed that it came from, such as `coinbase-ws`.")
    cached: bool = Field(description="It came from memory, not from a live fetch.")
    cache_age_seconds: float = Field(description="Age since it arrived here.")
    latency_ms: int = Field(description="Time the fetch took; 0 from memory.")
    duration_ms: int = Field(description="Time the whole answer took.")


class Envelope(BaseModel):
    """What a tbc body opens with."""

    status: str = Field(description="Who answered, and how, for people.")
    status_code: int
    endpoint: str


class TbcPrice(PlainPrice, Envelope):
    """A price in the tbc format."""


class AssetError(BaseModel):
    """Why one asset of a batch has no price."""

    code: str
    message: str


class FailedAsset(BaseModel):
    """An asset of a batch that has no price."""

    asset: AssetName
    error: AssetError


class PlainPrices(BaseModel):
    """A batch in the plain format, in the order asked."""

    count: int
    prices: list[PlainPrice | FailedAsset]


class TbcPrices(PlainPrices, Envelope):
    """A batch in the tbc format."""


class PricesQuestion(BaseModel):
    """What a batch asks for."""

    assets: Annotated[list[str], Field(min_length=1, max_length=200)]
    max_age_ms: int | None = Field(None, ge=0)
    format: str | None = Field(None, pattern="^(tbc|plain)$")


class LimitDecision(BaseModel):
    """One decision of the limits on a key."""

    at: str = Field(description="When, RFC 3339, UTC.")
    endpoint: str | None = Field(description="What was asked, if it is known.")
    code: str | None = Field(description="Why it was refused; null when it was not.")
    tokens_left: int | None = Field(description="In the bucket; null is no limit.")
    month_remaining: int | None = Field(description="Of the month; null is no limit.")
    retry_after_ms: int = Field(description="When asking again made sense.")


class PlainDecisions(BaseModel):
    """The last decisions in the plain format, newest first."""

    count: int
    limits: list[LimitDecision]


class TbcDecisions(PlainDecisions, Envelope):
    """The last decisions in the tbc format."""


class Exchange(BaseModel):
    """An exchange that prices come from."""

    exchange_name: str
    display_name: str
    source_tag: str
    assets: list[str]


class Exchanges(BaseModel):
    """All enabled exchanges."""

    count: int
    exchanges: list[Exchange]


class Asset(BaseModel):
    """An asset that is served."""

    asset: AssetName
    category: str
    exchange_name: str
    source_tag: str


class Assets(BaseModel):
    """All assets that are served."""

    count: int
    assets: list[Asset]


class Category(BaseModel):
    """A group that assets are shown in."""

    category_name: str
    description: str
    display_order: int
    assets: list[str]


class Categories(BaseModel):
    """All enabled categories, in the order they are shown."""

    count: int
    categories: list[Category]


class AssetAges(BaseModel):
    """Ages of the newest prices over all assets, in milliseconds."""

    p50: int | None
    p99: int | None


class AssetState(BaseModel):
    """State of one asset's price: live, snapshot (not traded yet), silent or none."""

    state: str
    source: str | None
    age_ms: int | None


class PricesState(BaseModel):
    """State of all prices."""

    count: int
    live: int
    snapshot: int
    silent: int
    none: int
    age_ms: AssetAges
    assets: dict[str, AssetState]


class Status(BaseModel):
    """State of this node."""

    service: str
    version: str
    node: str
    region: str
    time: str
    started_at: str
    uptime_s: int
    prices: PricesState
    feeds: dict[str, object] | None
    usage: dict[str, object]
    limits: dict[str, object]
    sources: dict[str, object] | None = Field(
        description="Health of what is asked when memory has no price to serve.",
    )
    parameters_refused: list[str]


class Capability(BaseModel):
    """State of one capability; the reason is there when it does not work."""

    status: str
    reason: str = ""


class Readiness(BaseModel):
    """Whether this listener should be asked at all."""

    status: str = Field(description="`ready`, `degraded` or `unready`.")
    capabilities: dict[str, Capability]


class Liveness(BaseModel):
    """The process runs."""

    status: str


class KeyLimits(BaseModel):
    """What the key is allowed; null is no limit."""

    requests_per_second: int | None
    burst: int | None
    minimum_wait_ms: int
    requests_per_month: int | None


class KeyMonth(BaseModel):
    """What became of this month (UTC)."""

    used: int
    remaining: int | None
    resets_at: str


class KeyReports(BaseModel):
    """How many reports the key may ask for; null is no limit."""

    per_month: int | None


class PlainAccount(BaseModel):
    """What a key holder may know of the own key, in the plain format."""

    key: str = Field(description="Display form; the key itself is never told.")
    name: str | None
    tier: str
    served_as: str = Field(description="Tier whose limits hold right now.")
    subscription_status: str
    response_format: str
    limits: KeyLimits
    month: KeyMonth
    grace_until: str | None
    reports: KeyReports


class TbcAccount(PlainAccount, Envelope):
    """What a key holder may know of the own key, in the tbc format."""
