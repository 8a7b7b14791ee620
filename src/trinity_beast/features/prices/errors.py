"""Why a price request has no price for an answer."""

from __future__ import annotations

from trinity_beast.kernel.errors import Invalid, NotFound, Throttled, Unavailable


class AssetMissing(Invalid):
    """The request names no asset."""

    template = "Name at least one asset, such as BTC."


class TooManyAssets(Invalid):
    """The request names more assets than a batch may have."""

    code = "too_many_assets"
    template = "A request may name at most {most} different assets."


class UnknownAsset(NotFound):
    """No enabled exchange has this asset enabled."""

    code = "unknown_asset"
    template = "The asset {asset} is not served."


class PriceStale(Unavailable):
    """There is a price, but not as young as the caller asked for."""

    code = "price_stale"
    template = "The newest price of {asset} is older than {max_age_ms} ms."


class PriceUnavailable(Unavailable):
    """No source has a price of this asset that is live."""

    code = "price_unavailable"
    template = "There is no live price of {asset} right now."


class Abandoned(Unavailable):
    """The client went away, or the listener stopped, before the answer was there."""

    template = "The request was given up before it was answered."


class RateLimited(Throttled):
    """The key's bucket is empty."""

    template = "Too many requests; ask again in {retry_after_ms} ms."


class QuotaExceeded(Throttled):
    """The key's month is used up."""

    code = "quota_exceeded"
    template = "All {limit} requests of this month are used."
