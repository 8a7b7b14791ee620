"""The HTTP routes of the price service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trinity_beast.features.catalogue import CatalogueSnapshot
from trinity_beast.features.prices import described
from trinity_beast.features.prices.catalogue import (
    assets_body,
    categories_body,
    exchanges_body,
)
from trinity_beast.features.prices.described import Described
from trinity_beast.features.prices.fast import PriceShortcut
from trinity_beast.features.prices.model import PriceRequest
from trinity_beast.features.prices.parts import LpoParts
from trinity_beast.features.prices.requests import (
    ACCOUNT,
    DECISIONS,
    PRICE,
    PRICES,
    KeyedPath,
    read_request,
)
from trinity_beast.features.prices.service import Answer, PriceService
from trinity_beast.features.prices.status import Market, status_body
from trinity_beast.kernel.errors import BeastError
from trinity_beast.toolkit.http.addresses import ClientAddresses
from trinity_beast.toolkit.http.api import Api
from trinity_beast.toolkit.http.envelope import Envelope
from trinity_beast.toolkit.http.health import Health
from trinity_beast.toolkit.http.problems import (
    MethodNotAllowed,
    error_headers,
    problem_response,
    status_of,
)
from trinity_beast.toolkit.http.request_ids import RequestIds

_JSON = "application/json"
_ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_WRITE = ["POST", "PUT", "PATCH", "DELETE"]
_FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}
_PUBLIC_METHODS = "GET, HEAD, OPTIONS"
_PREFLIGHT = {
    "Allow": _PUBLIC_METHODS,
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
}
_NO_CONTENT = 204

Handler = Callable[[Request], Awaitable[Response]]
Serve = Callable[[PriceRequest], Awaitable[Answer]]


def build_lpo_app(parts: LpoParts, shortcut: PriceShortcut | None = None) -> FastAPI:
    """Return the application of the price listener; more routes may be added to it.

    Args:
        parts: Its collaborators.
        shortcut: Told of each request that was answered with prices.
    """
    api = Api(
        title="The Trinity Beast: prices",
        description=(
            "Live crypto prices with the digits of the exchange. Send your key as"
            " `Authorization: Bearer KEY` or `X-API-Key: KEY`; never in the URL."
        ),
        version=parts.identity.version,
        request_ids=RequestIds(parts.clock, parts.randomness),
    )
    KeyedRoutes(parts, shortcut).add_to(api)
    PublicRoutes(parts).add_to(api)
    return api


class KeyedRoutes:
    """Routes that ask for a key."""

    def __init__(self, parts: LpoParts, shortcut: PriceShortcut | None = None) -> None:
        self._shortcut = shortcut
        self._service = PriceService(parts)
        self._envelope = Envelope("LPO", parts.identity.region, parts.identity.node)
        self._addresses = ClientAddresses(parts.trusted_hops)

    def add_to(self, api: Api) -> None:
        """Add the routes, and behind each one its refusal of other methods."""
        answer, account = self._service.answer, self._service.account
        self._add(api, PRICE, answer, {"GET": described.ONE_PRICE})
        posts = {"GET": described.SOME_PRICES, "POST": described.POSTED_PRICES}
        self._add(api, PRICES, answer, posts)
        self._add(api, ACCOUNT, account, {"GET": described.ACCOUNT_KEY})
        self._add(api, DECISIONS, account, {"GET": described.ACCOUNT_LIMITS})

    def _add(
        self,
        api: Api,
        path: KeyedPath,
        serve: Serve,
        documented: Mapping[str, Described],
    ) -> None:
        async def handle(request: Request) -> Response:
            return await self._handle(request, path, serve)

        for method, said in documented.items():
            _document(api, (method, path.endpoint), handle, said)
        others = [method for method in _ALL_METHODS if method not in documented]
        api.add_route(path.endpoint, handle, others, include_in_schema=False)

    async def _handle(
        self,
        request: Request,
        path: KeyedPath,
        serve: Serve,
    ) -> Response:
        read = await read_request(request, path, self._addresses.of(request.scope))
        answer = await serve(read)
        if answer.error is None:
            if self._shortcut is not None:
                await self._shortcut.learn(request.scope, read)
            return Response(answer.body, headers=answer.headers, media_type=_JSON)
        return refusal_response(answer, read, self._envelope)


class PublicRoutes:
    """Routes for everybody: the catalogue, the status and the health."""

    def __init__(self, parts: LpoParts) -> None:
        self._parts = parts
        self._market = Market(parts.catalogue, parts.board, parts.parameters)
        self._health = Health(
            {"prices": self._why_no_price, **parts.health_probes},
            required=frozenset({"prices", "accepting"}),
        )

    def add_to(self, api: Api) -> None:
        """Add the routes."""
        for path, body_of, said in (
            ("/asset-categories", categories_body, described.CATEGORIES),
            ("/exchanges", exchanges_body, described.EXCHANGES),
            ("/assets", assets_body, described.ASSETS),
        ):
            self._add(api, path, self._catalogue(body_of), said)
        self._add(api, "/status", self._status, described.STATUS)
        self._add(api, "/health/live", self._live, described.LIVE)
        self._add(api, "/health/ready", self._ready, described.READY)

    def _add(self, api: Api, path: str, handle: Handler, said: Described) -> None:
        _document(api, ("GET", path), handle, said)
        api.add_route(path, handle, ["HEAD"], include_in_schema=False)
        api.add_route(path, _preflight, ["OPTIONS"], include_in_schema=False)
        api.add_route(path, _not_allowed, _WRITE, include_in_schema=False)

    def _catalogue(
        self,
        body_of: Callable[[CatalogueSnapshot], dict[str, object]],
    ) -> Handler:
        async def handle(_: Request) -> Response:
            body = body_of(self._parts.catalogue.snapshot)
            return JSONResponse(body, headers=_FROM_ANYWHERE)

        return handle

    async def _status(self, _: Request) -> Response:
        parts = self._parts
        body = status_body(
            parts.identity,
            self._market,
            parts.parameters,
            parts.usage_stats(),
            None if parts.sources is None else parts.sources.report(),
            parts.clock.now_ns(),
        )
        body["limits"] = parts.limiter.state()
        return JSONResponse(body, headers=_FROM_ANYWHERE)

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def _ready(self, _: Request) -> Response:
        found = await self._health.look()
        return JSONResponse(found.body, status_code=found.status_code)

    async def _why_no_price(self) -> str | None:
        return self._market.why_no_price(self._parts.clock.now_ns())


def refusal_response(
    answer: Answer,
    request: PriceRequest,
    envelope: Envelope,
) -> Response:
    """Return an answer's error in the format that it is to be told in.

    Args:
        answer: One with an error.
        request: What was asked.
        envelope: Opens the tbc format.
    """
    error = answer.error or BeastError()
    if answer.form == "tbc":
        return Response(
            envelope.error_body(error, request.endpoint),
            status_code=status_of(error),
            headers=error_headers(error) | answer.headers,
            media_type=_JSON,
        )
    refused = problem_response(error, request.request_id)
    refused.headers.update(answer.headers)
    return refused


async def _not_allowed(_: Request) -> Response:
    raise MethodNotAllowed(allow=_PUBLIC_METHODS)


async def _preflight(_: Request) -> Response:
    return Response(status_code=_NO_CONTENT, headers=_PREFLIGHT)


def _document(
    api: Api,
    operation: tuple[str, str],
    handle: Handler,
    said: Described,
) -> None:
    method, path = operation
    name = path.strip("/").replace("/", "_").replace("-", "_")
    api.add_api_route(
        path,
        handle,
        methods=[method],
        operation_id=f"{method.lower()}_{name}",
        summary=said.summary,
        description=said.description,
        tags=[said.tag],
        responses=said.responses,
        openapi_extra=said.extra,
        response_model=None,
    )
