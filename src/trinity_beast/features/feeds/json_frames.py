"""Reads the JSON of a frame: numbers with a point stay text, whole numbers exact.

msgspec does the work.  The standard library is asked again only for three things that
msgspec refuses and venues may send: half a surrogate pair in some remark, a whole
number of thousands of digits beside good trades, a byte-order mark.

Hot path: measured in bench/feeds_decode.py; budget 2 us a frame.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn

import msgspec

_BOM: Final = "\ufeff"
_SURROGATE: Final = re.compile(r"\\u[dD]")
_MOST_DIGITS: Final = 40

decode_json: Final = msgspec.json.Decoder[object](float_hook=str).decode
"""Reads a frame, or raises ValueError (of any sort) or RecursionError."""


def decode_again(frame: str | bytes, refusal: Exception) -> object:
    """Read a frame that ``decode_json`` refused, if it deserves a second look.

    Whole numbers too long for any use become text.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
    """
    text = frame if isinstance(frame, str) else frame.decode()
    marked = text.startswith(_BOM)
    if not (
        marked
        or isinstance(refusal, msgspec.ValidationError)
        or _SURROGATE.search(text)
    ):
        raise refusal
    return json.loads(
        text[1:] if marked else text,
        parse_float=str,
        parse_int=_short_int,
        parse_constant=_refuse,
    )


def _short_int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
