"""A price is the text that the exchange wrote, never a binary float.

``0.5752`` and ``121.5800000000`` stay as they are, trailing zeros included; only an
exponent is written out, because a price answer must not read ``1E-7``.
"""

from __future__ import annotations

import re
from decimal import Decimal

MAX_WHOLE_DIGITS = 20
MAX_FRACTION_DIGITS = 30
MAX_TEXT_LENGTH = MAX_WHOLE_DIGITS + 1 + MAX_FRACTION_DIGITS
_MAX_EXPONENT = 30

_PLAIN = re.compile(
    rf"[0-9]{{1,{MAX_WHOLE_DIGITS}}}(?:\.[0-9]{{1,{MAX_FRACTION_DIGITS}}})?",
)
_SCIENTIFIC = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,30})?[eE][+-]?[0-9]{1,2}")
_LEADING_ZEROS = re.compile(r"^0+(?=[0-9])")


def parse_price_text(text: str) -> str | None:
    """Return the price as plain decimal digits, or None if this is no price.

    A price is a decimal number above zero of at most 20 whole and 30 fraction digits
    in ASCII: no sign, no spaces, no separators, no NaN.  Digits are kept, zeros at the
    end included; zeros in front go, since JSON knows no ``007``.
    """
    if _PLAIN.fullmatch(text):
        plain = text
    elif _SCIENTIFIC.fullmatch(text):
        plain = _written_out(text)
    else:
        return None
    if not plain or not plain.strip("0."):
        return None
    return _LEADING_ZEROS.sub("", plain) if plain[0] == "0" else plain


def _written_out(text: str) -> str:
    number = Decimal(text)
    if abs(number.adjusted()) > _MAX_EXPONENT:
        return ""
    plain = format(number, "f")
    return plain if _PLAIN.fullmatch(plain) else ""
