"""Why no source has a price that may be served."""

from __future__ import annotations

from trinity_beast.kernel.errors import Unavailable


class NoSource(Unavailable):
    """No tier has a price of this asset, or none answered in time."""

    code = "price_unavailable"
    template = "No source has a price of {asset} right now."


class OnlyOlder(Unavailable):
    """There are prices, but none as young as the caller asked for."""

    code = "price_stale"
    template = "No source has a price of {asset} younger than {max_age_ms} ms."
