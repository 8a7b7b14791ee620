"""Nodes: which processes of the product run, where, and as what.

Each process writes a row when it starts and a heartbeat every few seconds; one that was
not heard of for 15 seconds is taken to be gone, one that ends in good order takes its
row away.  The rows of processes that were killed stay a day, to be looked at.

Owns: beast.nodes.
"""

from trinity_beast.features.nodes.model import (
    HEARTBEAT_S,
    LIVE_FOR_S,
    ProcessRow,
    RunningProcess,
)
from trinity_beast.features.nodes.service import NodeRegistration, NodeService

__all__ = [
    "HEARTBEAT_S",
    "LIVE_FOR_S",
    "NodeRegistration",
    "NodeService",
    "ProcessRow",
    "RunningProcess",
]
