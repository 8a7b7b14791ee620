"""What a parameter is, and how its text becomes a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from trinity_beast.features.parameters.errors import ParameterRefused

Kind = Literal["integer", "decimal", "text", "flag", "list"]
Home = Literal["application", "report"]
Value = int | Decimal | str | bool | tuple[str, ...]

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_FLAGS = {
    "true": True,
    "on": True,
    "yes": True,
    "1": True,
    "false": False,
    "off": False,
    "no": False,
    "0": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What one name means.

    Attributes:
        name: The key in the table.
        kind: How its text is read: ``list`` is texts with commas between.
        unit: What numbers count, or empty.
        default: The text that holds when there is no row.
        low: Smallest number, inclusive; None is no bound.
        high: Largest number, inclusive; None is no bound.
        multiple_of: Integers must be a multiple of this.
        choices: The texts that are allowed; empty allows every text.
        meaning: What it does, for operators.
        aliases: Other keys that older databases may use for it.
        home: Which table its row stands in.
    """

    name: str
    kind: Kind
    default: str
    meaning: str
    unit: str = ""
    low: int | None = None
    high: int | None = None
    multiple_of: int = 1
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    home: Home = "application"

    def text_in(self, texts: Mapping[str, str]) -> str:
        """Return this parameter's text: by name, by alias, or the default."""
        for name in (self.name, *self.aliases):
            if name in texts:
                return texts[name]
        return self.default


def parse(parameter: Parameter, text: str) -> Value:
    """Return the value that a text means; spaces around it mean nothing.

    Raises:
        ParameterRefused: It is no value of this parameter.
    """
    trimmed = text.strip()
    value = _PARSERS[parameter.kind](trimmed)
    if value is None:
        raise _refused(parameter, text, f"it is not of kind {parameter.kind}")
    reason = _why_not(parameter, value)
    if reason:
        raise _refused(parameter, text, reason)
    return value


def text_of(value: Value) -> str:
    """Return the text that ``parse`` turns into this value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _why_not(parameter: Parameter, value: Value) -> str:
    if isinstance(value, int | Decimal):
        return _why_not_number(parameter, value)
    if parameter.choices and value not in parameter.choices:
        return f"it must be one of {', '.join(parameter.choices)}"
    return ""


def _why_not_number(parameter: Parameter, value: int | Decimal) -> str:
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.low is not None and value < parameter.low:
        return f"the smallest value is {parameter.low}{unit}"
    if parameter.high is not None and value > parameter.high:
        return f"the largest value is {parameter.high}{unit}"
    if isinstance(value, int) and value % parameter.multiple_of:
        return f"it must be a multiple of {parameter.multiple_of}"
    return ""


def _refused(parameter: Parameter, text: str, reason: str) -> ParameterRefused:
    return ParameterRefused(name=parameter.name, text=text, reason=reason)


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def _flag(text: str) -> bool | None:
    return _FLAGS.get(text.lower())


def _list(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


_PARSERS: Mapping[str, Callable[[str], Value | None]] = {
    "integer": _integer,
    "decimal": _decimal,
    "text": str,
    "flag": _flag,
    "list": _list,
}
