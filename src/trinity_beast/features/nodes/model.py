"""What is known of a process."""

from __future__ import annotations

from dataclasses import dataclass

from trinity_beast.kernel.time import NS_PER_S

HEARTBEAT_S = 4
"""How often a process tells that it lives."""

LIVE_FOR_S = 15
"""How long it is taken to live after that."""

KEEP_FOR_S = 86_400
"""How long the row of a process that was killed is kept."""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A process, as it tells of itself.

    Attributes:
        node: Name of its node.
        pid: Its id on the machine, or in the container.
        region: Region of its node.
        version: Version of the product.
        roles: What it does, in the order of starting.
        started_at_ns: When it began.
    """

    node: str
    pid: int
    region: str
    version: str
    roles: tuple[str, ...]
    started_at_ns: int


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process, as the registry has it.

    Attributes:
        process: As it told of itself.
        heartbeat_at_ns: When it was heard of last.
    """

    process: RunningProcess
    heartbeat_at_ns: int

    def is_live(self, now_ns: int) -> bool:
        """Tell whether it was heard of lately."""
        return now_ns - self.heartbeat_at_ns < LIVE_FOR_S * NS_PER_S
