"""What the price service is put together from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from trinity_beast.features.board import BoardReader
from trinity_beast.features.catalogue import Catalogue
from trinity_beast.features.keys import KeyRing
from trinity_beast.features.limits import Limiter
from trinity_beast.features.parameters import Parameters
from trinity_beast.features.sources import Sources
from trinity_beast.features.usage import UsageBuffer
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.randomness import Randomness
from trinity_beast.toolkit.http.addresses import Network
from trinity_beast.toolkit.http.health import Probe


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers.

    Attributes:
        node: Name of the node, such as ``BeastMain``.
        region: Region of the node, such as ``us-east-2``.
        version: Version of the product.
        started_at_ns: When the process began to serve.
    """

    node: str
    region: str
    version: str
    started_at_ns: int


def _nothing() -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LpoParts:
    """The collaborators of the listeners that serve prices.

    Attributes:
        catalogue: Which assets there are.
        board: Their prices.
        keys: Who may ask.
        limiter: How much.
        parameters: What operators decide while it runs.
        usage: Where usage records go.
        clock: The time.
        randomness: For ids.
        identity: Who answers.
        sources: Who is asked for what memory cannot serve; None means nobody.
        health_probes: More capabilities for ``/health/ready``.  ``prices`` is always
            there; ``accepting``, if given, tells that the listener is stopping, and
            makes it unready.
        usage_stats: State of the usage pipeline, for ``/status``.
        trusted_hops: Networks whose ``X-Forwarded-For`` is believed.
    """

    catalogue: Catalogue
    board: BoardReader
    keys: KeyRing
    limiter: Limiter
    parameters: Parameters
    usage: UsageBuffer
    clock: Clock
    randomness: Randomness
    identity: Identity
    sources: Sources | None = None
    health_probes: Mapping[str, Probe] = field(default_factory=dict[str, Probe])
    usage_stats: Callable[[], Mapping[str, object]] = _nothing
    trusted_hops: tuple[Network, ...] = ()
