"""The first rows of every feature, in the order in which they are planted."""

from __future__ import annotations

from trinity_beast.features.billing.seeds import payment_link_seeds
from trinity_beast.features.catalogue import catalogue_seeds
from trinity_beast.features.keys.seeds import tier_seeds
from trinity_beast.features.parameters import parameter_seeds
from trinity_beast.toolkit.seeds import Seed


def all_seeds() -> tuple[Seed, ...]:
    """Return the seeds of a fresh installation."""
    return (
        *tier_seeds(),
        *parameter_seeds(),
        *catalogue_seeds(),
        *payment_link_seeds(),
    )
