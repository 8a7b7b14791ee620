"""Reading what the server says, without ever passing a price through a float."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import cast

from trinity_beast.client.effects import Reply
from trinity_beast.client.errors import AnswerUnreadable, BeastError, kind_of
from trinity_beast.client.prices import Batch, Failure, Price

FIRST_ERROR_STATUS = 400

_PRICE = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?")
_MS_PER_S = 1000
_LONGEST_SHOWN = 200
_NO_CODE = AnswerUnreadable.default_code
_NOT_OURS = "Something that is not a price server answered"
# What a load balancer in front of the server may say in its own words.
_CODE_OF_STATUS: Mapping[int, str] = {
    429: "rate_limited",
    500: "internal",
    502: "internal",
    503: "overloaded",
    504: "internal",
}

Fields = Mapping[str, object]


class Digits(str):
    """A number of a JSON text, as it was written."""

    __slots__ = ()


def read_object(text: str | bytes) -> Fields:
    """Return a JSON object whose numbers keep their digits.

    Raises:
        AnswerUnreadable: It is none.
    """
    try:
        value: object = json.loads(text, parse_float=Digits, parse_int=Digits)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise AnswerUnreadable(f"{_NOT_OURS}: this is no JSON object.")
    return cast("Fields", value)


def price_of(fields: Fields) -> Price:
    """Return the price that an object tells; the tbc envelope around it is skipped.

    Raises:
        AnswerUnreadable: Something that a price needs is missing or broken.
    """
    digits = str(fields.get("price"))
    try:
        if not _PRICE.fullmatch(digits):
            raise AnswerUnreadable(f"{_NOT_OURS}: this is no price.")
        return Price(
            asset=str(fields["asset"]),
            price=Decimal(digits),
            price_text=digits,
            traded_at=_instant(str(fields["timestamp"])),
            source=str(fields["source"]),
            cached=fields.get("cached") is not False,
            age_s=_number(fields, "cache_age_seconds"),
            latency_ms=round(_number(fields, "latency_ms")),
            duration_ms=round(_number(fields, "duration_ms")),
        )
    except (KeyError, ValueError) as broken:
        raise AnswerUnreadable(f"{_NOT_OURS}: a price lacks {broken}.") from None


def batch_of(fields: Fields) -> Batch:
    """Return the batch that an object tells.

    Raises:
        AnswerUnreadable: It tells none.
    """
    items = fields.get("prices")
    if not isinstance(items, list):
        raise AnswerUnreadable(f"{_NOT_OURS}: this is no list of prices.")
    return Batch(tuple(item_of(item) for item in cast("list[object]", items)))


def item_of(item: object) -> Price | Failure:
    """Return one item of a batch.

    Raises:
        AnswerUnreadable: It is neither a price nor an asset's error.
    """
    if not isinstance(item, dict):
        raise AnswerUnreadable(f"{_NOT_OURS}: this is no price.")
    fields = cast("Fields", item)
    if "error" in fields:
        return Failure(str(fields.get("asset", "")), error_in(fields))
    return price_of(fields)


def error_in(fields: Fields, reply: Reply | None = None) -> BeastError:
    """Return the error that an object tells, in whichever form.

    A problem has ``code`` and ``detail``, the tbc envelope and batches have
    ``error: {code, message}``, datagrams ``error: code``.

    Args:
        fields: The object.
        reply: The HTTP answer it was the body of.
    """
    told = fields.get("error", fields)
    inner = cast("Fields", told if isinstance(told, dict) else {"code": told})
    status = reply.status if reply else None
    code = str(inner.get("code") or _CODE_OF_STATUS.get(status or 0, _NO_CODE))
    message = inner.get("message") or inner.get("detail") or code.replace("_", " ")
    return kind_of(code, status)(
        str(message)[:_LONGEST_SHOWN],
        code=code,
        status=status,
        request_id=_request_id(reply),
        retry_after_ms=_whole(fields.get("retry_after_ms")),
    )


def refusal_of(reply: Reply, unix_ms: int) -> BeastError | None:
    """Return the error that an HTTP answer tells, or None when it is none.

    Args:
        reply: The answer.
        unix_ms: The present, for a ``Retry-After`` that names a date.
    """
    if reply.status < FIRST_ERROR_STATUS:
        return None
    try:
        error = error_in(read_object(reply.body), reply)
    except AnswerUnreadable:
        error = _foreign(reply)
    if error.retry_after_ms is None:
        error.retry_after_ms = _retry_after_ms(reply, unix_ms)
    return error


def _foreign(reply: Reply) -> BeastError:
    """Return the error of an answer that somebody before the server gave."""
    code = _CODE_OF_STATUS.get(reply.status)
    message = f"The answer is HTTP status {reply.status}, and nothing else."
    if code is None:
        message = f"{_NOT_OURS}: HTTP status {reply.status}."
    return kind_of(code or _NO_CODE)(
        message,
        status=reply.status,
        request_id=_request_id(reply),
    )


def _request_id(reply: Reply | None) -> str | None:
    return reply.headers.get("x-request-id") if reply else None


def _retry_after_ms(reply: Reply, unix_ms: int) -> int | None:
    """Return what ``Retry-After`` says.  Source: RFC 9110, section 10.2.3."""
    text = reply.headers.get("retry-after", "")
    if (seconds := _whole(text)) is not None:
        return seconds * _MS_PER_S
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0, round(date.timestamp() * _MS_PER_S) - unix_ms)


def _whole(value: object) -> int | None:
    text = str(value)
    fits = text.isascii() and text.isdigit() and len(text) < len(str(2**63))
    return int(text) if fits else None


def _number(fields: Fields, name: str) -> float:
    value = fields.get(name)
    return float(value) if isinstance(value, Digits) else 0.0


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment
