"""Every table of every feature, put together for migrations and for nothing else.

Importing a feature's tables adds them to ``metadata``; this is the one module that
imports them all.
"""

from __future__ import annotations

from types import ModuleType

from trinity_beast.features.accounts import tables as accounts
from trinity_beast.features.analytics import tables as analytics
from trinity_beast.features.billing import tables as billing
from trinity_beast.features.catalogue import tables as catalogue
from trinity_beast.features.impact_map import tables as impact_map
from trinity_beast.features.keys import tables as keys
from trinity_beast.features.leads import tables as leads
from trinity_beast.features.mail import tables as mail
from trinity_beast.features.newsletters import tables as newsletters
from trinity_beast.features.nodes import tables as nodes
from trinity_beast.features.parameters import tables as parameters
from trinity_beast.features.partners import tables as partners
from trinity_beast.features.reports import tables as reports
from trinity_beast.features.schedule import tables as schedule
from trinity_beast.features.support import tables as support
from trinity_beast.features.usage import tables as usage
from trinity_beast.features.webhooks import tables as webhooks
from trinity_beast.toolkit import seeds
from trinity_beast.toolkit.tables import metadata

__all__ = ["TABLE_MODULES", "metadata"]

TABLE_MODULES: tuple[ModuleType, ...] = (
    accounts,
    analytics,
    billing,
    catalogue,
    impact_map,
    keys,
    leads,
    mail,
    newsletters,
    nodes,
    parameters,
    partners,
    reports,
    schedule,
    seeds,
    support,
    usage,
    webhooks,
)
"""The modules that define tables, in the order of their names."""
