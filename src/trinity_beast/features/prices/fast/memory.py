"""What is remembered of requests: bounded, and the least lately used go first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from trinity_beast.features.keys import ApiKey, KeySlot
from trinity_beast.features.prices.fast.lines import LimitLines
from trinity_beast.features.prices.fast.pages import Page
from trinity_beast.features.prices.model import Form, PriceRequest

Name = TypeVar("Name")
Value = TypeVar("Value")

MOST_PEERS = 64
"""Load balancers that may bring one client's request."""


class Memory(dict[Name, Value]):
    """A dictionary of two halves, the young one being the dictionary itself.

    What is found only in the old half becomes young again; when the young half is full
    it becomes the old one, and what was old is forgotten.  That is nearly "least
    recently used", at the price of one look-up.
    """

    def __init__(self, most: int) -> None:
        """Remember at least ``most`` entries, and never more than twice as many."""
        super().__init__()
        self._most = most
        self._old: Mapping[Name, Value] = {}

    def recall(self, name: Name) -> Value | None:
        """Return what was remembered, or None."""
        found = self.get(name)
        if found is None:
            found = self._old.get(name)
            if found is not None:
                self.remember(name, found)
        return found

    def remember(self, name: Name, value: Value) -> None:
        """Remember a value, perhaps forgetting others."""
        if len(self) >= self._most and name not in self:
            self._old = dict(self)
            self.clear()
        self[name] = value


class Known:
    """A request as the ordinary way understood it, and whose it is.

    Attributes:
        request: What was understood; address and request id in it are of the first one.
        endpoint: The request's.
        query_type: The request's.
        slot: Its key's slot, through which changes of the key are seen.
        key: The slot's key when the fields below were worked out.
        key_id: For the usage record.
        user_id: For the usage record.
        form: Format that the request asks for, or else the key's.
        names: Its assets, for the usage record.
        page: Its answer.
        lines: What its answers say of limits.
        ips: Addresses of the client by address of the connection's other end, when that
            may be a load balancer; else None, and both are the same.
    """

    __slots__ = (
        "endpoint",
        "form",
        "ips",
        "key",
        "key_id",
        "lines",
        "names",
        "page",
        "query_type",
        "request",
        "slot",
        "user_id",
    )

    def __init__(self, request: PriceRequest, slot: KeySlot, page: Page) -> None:
        self.request = request
        self.endpoint = request.endpoint
        self.query_type = request.query_type
        self.slot = slot
        self.page = page
        self.lines = LimitLines()
        self.names = ",".join(request.assets)
        self.ips: dict[str, str] | None = None
        self.take_key(slot.key)

    def take_key(self, key: ApiKey) -> None:
        """Work out again what depends on the key's row."""
        self.key = key
        self.key_id = str(key.id)
        self.user_id = None if key.user_id is None else str(key.user_id)
        self.form: Form = self.request.form or key.response_format

    def add_ip(self, peer: str, ip: str) -> None:
        """Learn who the client is when the request comes from this peer."""
        if self.ips is None or len(self.ips) >= MOST_PEERS:
            self.ips = {}
        self.ips[peer] = ip
