"""How keyed requests are read from HTTP.

What is wrong with a request is not raised but carried to where the key is looked up:
a refused request of a known key is metered like any other, and told in its format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from starlette.requests import Request

from trinity_beast.features.prices.account import DECISIONS_PATH
from trinity_beast.features.prices.errors import AssetMissing
from trinity_beast.features.prices.model import (
    MOST_AGE_MS,
    Form,
    PriceRequest,
    asset_named,
    assets_named,
)
from trinity_beast.kernel.errors import Invalid
from trinity_beast.toolkit.http.credentials import (
    KeyInQuery,
    check_no_key_in,
    secret_of,
)
from trinity_beast.toolkit.http.problems import MethodNotAllowed
from trinity_beast.toolkit.http.request_ids import request_id_of
from trinity_beast.toolkit.http.requests import (
    ParameterInvalid,
    ParameterRepeated,
    body_of,
    json_object_of,
    query_of,
)

_DIGITS = re.compile(r"[0-9]{1,13}")
_FORMS: Mapping[object, Form] = {"tbc": "tbc", "plain": "plain"}

AssetsIn = Callable[[Mapping[str, object]], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class KeyedPath:
    """A path that asks for a key, and how its requests are read.

    Attributes:
        endpoint: The path.
        query_type: What usage records call it; empty when none are made.
        methods: Those it takes; the body is read of ``POST`` alone.
        is_batch: It is answered with a list.
        assets_in: Finds the assets among the parameters.
    """

    endpoint: str
    query_type: str
    methods: tuple[str, ...]
    is_batch: bool
    assets_in: AssetsIn


async def read_request(request: Request, path: KeyedPath, ip: str) -> PriceRequest:
    """Return what a request asks for; ``fault`` is the first thing wrong with it.

    Raises:
        HeaderRepeated: A key header comes twice.
        KeysDiffer: Two keys were sent.
        KeyInQuery: A key stands in the URL, and none where it belongs.
        ClientGone: The client hung up.
    """
    read = PriceRequest(
        secret=secret_of(request.scope),
        endpoint=path.endpoint,
        query_type=path.query_type,
        ip=ip,
        request_id=request_id_of(request.scope),
        is_batch=path.is_batch,
    )
    try:
        query = query_of(request.scope)
        check_no_key_in(query)
        # The format first: whatever else is wrong is told in it.
        read = replace(read, form=_form_in(query))
        parameters = await _parameters(request, path, query)
        return replace(
            read,
            form=_form_in(parameters),
            max_age_ms=_max_age_in(parameters),
            assets=path.assets_in(parameters),
        )
    except KeyInQuery as fault:
        if not read.secret:
            raise
        return replace(read, fault=fault)
    except Invalid as fault:
        return replace(read, fault=fault)


async def _parameters(
    request: Request,
    path: KeyedPath,
    query: Mapping[str, str],
) -> Mapping[str, object]:
    if request.method not in path.methods:
        raise MethodNotAllowed(allow=", ".join(path.methods))
    if request.method != "POST":
        return query
    body = json_object_of(request.scope, await body_of(request.receive))
    for name in query.keys() & body.keys():
        raise ParameterRepeated(parameter=name)
    return {**query, **body}


def one_asset(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return the asset of ``asset=BTC``.

    Raises:
        AssetMissing: There is none.
    """
    text = str(parameters.get("asset", ""))
    if not text.strip(" "):
        raise AssetMissing
    return (asset_named(text),)


def many_assets(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return the assets of ``assets=BTC,ETH`` or of ``{"assets":["BTC","ETH"]}``.

    Raises:
        AssetMissing: There are none.
        TooManyAssets: There are too many.
        ParameterInvalid: It is neither of the two.
    """
    value = parameters.get("assets", [])
    if isinstance(value, str):
        return assets_named([text for text in value.split(",") if text.strip(" ")])
    if not _is_texts(value):
        raise ParameterInvalid(parameter="assets", rule="it must be a list of names")
    return assets_named(cast("list[str]", value))


def no_assets(_: Mapping[str, object]) -> tuple[str, ...]:
    """Return nothing: the path is not about assets."""
    return ()


_READ = ("GET", "HEAD")
PRICE = KeyedPath("/price", "price", _READ, is_batch=False, assets_in=one_asset)
PRICES = KeyedPath(
    "/prices",
    "multi-price",
    (*_READ, "POST"),
    is_batch=True,
    assets_in=many_assets,
)
DECISIONS = KeyedPath(
    DECISIONS_PATH,
    "",
    _READ,
    is_batch=False,
    assets_in=no_assets,
)
ACCOUNT = KeyedPath("/account/key", "", _READ, is_batch=False, assets_in=no_assets)


def _is_texts(value: object) -> bool:
    if not isinstance(value, list):
        return False
    return all(isinstance(item, str) for item in cast("list[object]", value))


def _form_in(parameters: Mapping[str, object]) -> Form | None:
    text = parameters.get("format")
    if text is None:
        return None
    form = _FORMS.get(text) if isinstance(text, str) else None
    if form is None:
        raise ParameterInvalid(parameter="format", rule="it must be tbc or plain")
    return form


def _max_age_in(parameters: Mapping[str, object]) -> int | None:
    value = parameters.get("max_age_ms")
    if value is None:
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if type(value) is int and 0 <= value <= MOST_AGE_MS:
        return value
    raise ParameterInvalid(
        parameter="max_age_ms",
        rule=f"it must be a whole number from 0 to {MOST_AGE_MS}",
    )
