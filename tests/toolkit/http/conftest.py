"""An application with one route of each kind of trouble, and a client for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from trinity_beast.kernel.errors import Throttled
from trinity_beast.ports.exchanges import ExchangeUnreachable
from trinity_beast.toolkit.http.api import Api
from trinity_beast.toolkit.http.request_ids import RequestIds
from trinity_beast.toolkit.http.requests import body_of, json_object_of, query_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.clocks import FixedClock
    from support.randomness import SeededRandomness


async def hello(request: Request) -> Response:
    return JSONResponse(query_of(request.scope))


async def echo(request: Request) -> Response:
    body = await body_of(request.receive)
    return JSONResponse(json_object_of(request.scope, body))


async def kept(_: Request) -> Response:
    return JSONResponse({}, headers={"Cache-Control": "no-cache"})


async def typed(count: int) -> dict[str, int]:
    return {"count": count}


async def broken(_: Request) -> Response:
    message = "password=hunter2"
    raise ValueError(message)


async def throttled(_: Request) -> Response:
    raise Throttled(retry_after_ms=1_200)


async def away(_: Request) -> Response:
    raise ExchangeUnreachable(reason="10.0.0.7 refused")


async def refused(request: Request) -> Response:
    raise HTTPException(int(request.path_params["status"]))


async def half(_: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"half"
        raise ValueError

    return StreamingResponse(pieces())


@pytest.fixture
def request_ids(clock: FixedClock, randomness: SeededRandomness) -> RequestIds:
    return RequestIds(clock, randomness)


@pytest.fixture
def api(request_ids: RequestIds) -> Api:
    api = Api(
        title="Test",
        description="Says `hello`.",
        version="1.2.3",
        request_ids=request_ids,
    )

    api.add_api_route("/hello", hello, tags=["Greetings"], summary="Say hello")
    api.add_api_route("/echo", echo, methods=["POST"], summary="Say it again")
    api.add_api_route("/typed", typed, include_in_schema=False)
    api.add_route("/kept", kept)
    api.add_route("/broken", broken)
    api.add_route("/throttled", throttled)
    api.add_route("/away", away)
    api.add_route("/refused/{status}", refused)
    api.add_route("/half", half)
    return api


@pytest.fixture
async def client(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
