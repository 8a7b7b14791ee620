"""The parameters as one process holds them: typed, and never bad."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import cast

import structlog

from trinity_beast.features.parameters.errors import ParameterRefused
from trinity_beast.features.parameters.model import Kind, Parameter, Value, parse
from trinity_beast.features.parameters.registry import REGISTRY

Load = Callable[[], Awaitable[Mapping[str, str]]]

_log = structlog.get_logger("parameters")


class Parameters:
    """Holds the newest good value of each parameter; before any refresh, the defaults.

    Asking for a name that the registry does not have, or by another kind than it has,
    is a mistake in the program: a KeyError.

    Args:
        load: Where the texts come from, by name.
        registry: What the names mean.
    """

    def __init__(self, load: Load, registry: Sequence[Parameter] = REGISTRY) -> None:
        self._load = load
        self._loading = asyncio.Lock()
        self._registry = {parameter.name: parameter for parameter in registry}
        self._values = {p.name: parse(p, p.default) for p in registry}
        self._refused: Mapping[str, str] = MappingProxyType({})
        self._watchers: list[Callable[[], None]] = []

    @property
    def refused(self) -> Mapping[str, str]:
        """Return the texts of the table that cannot be used, by parameter name."""
        return self._refused

    def integer(self, name: str) -> int:
        """Return a whole number, in the parameter's unit."""
        return cast("int", self._value(name, "integer"))

    def decimal(self, name: str) -> Decimal:
        """Return a number, in the parameter's unit."""
        return cast("Decimal", self._value(name, "decimal"))

    def text(self, name: str) -> str:
        """Return a text."""
        return cast("str", self._value(name, "text"))

    def flag(self, name: str) -> bool:
        """Return whether something is on."""
        return cast("bool", self._value(name, "flag"))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of a list."""
        return cast("tuple[str, ...]", self._value(name, "list"))

    async def refresh(self) -> None:
        """Load the texts again; all values stay when that fails.

        Raises:
            DatabaseAway: Whatever the loader raises.
        """
        async with self._loading:
            self.replace(await self._load())

    def replace(self, texts: Mapping[str, str]) -> None:
        """Take the values from these texts; a bad one leaves the value as it was."""
        before, known = dict(self._values), self._refused
        refused: dict[str, str] = {}
        for name, parameter in self._registry.items():
            text = parameter.text_in(texts)
            try:
                self._values[name] = parse(parameter, text)
            except ParameterRefused as error:
                refused[name] = text
                if known.get(name) != text:
                    _log.warning("parameter refused", reason=error.message)
        self._refused = MappingProxyType(refused)
        if self._values != before:
            for watcher in tuple(self._watchers):
                watcher()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` each time that any value has changed.

        Returns:
            What ends the subscription; calling it twice is not an error.
        """
        self._watchers.append(callback)

        def unsubscribe() -> None:
            if callback in self._watchers:
                self._watchers.remove(callback)

        return unsubscribe

    def _value(self, name: str, kind: Kind) -> Value:
        if self._registry[name].kind != kind:
            raise KeyError(f"{name} is not of kind {kind}")
        return self._values[name]
