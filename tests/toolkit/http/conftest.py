"""An application with one route of each kind of trouble, and a client for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
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

    @api.get("/hello", tags=["Greetings"], summary="Say hello")
    async def hello(request: Request) -> Response:
        return JSONResponse(query_of(request.scope))

    @api.get("/kept", include_in_schema=False)
    async def kept() -> Response:
        return JSONResponse({}, headers={"Cache-Control": "no-cache"})

    @api.post("/echo", summary="Say it again")
    async def echo(request: Request) -> Response:
        body = await body_of(request.receive)
        return JSONResponse(json_object_of(request.scope, body))

    @api.get("/typed", include_in_schema=False)
    async def typed(count: int) -> dict[str, int]:
        return {"count": count}

    @api.get("/broken", include_in_schema=False)
    async def broken() -> Response:
        message = "password=hunter2"
        raise ValueError(message)

    @api.get("/throttled", include_in_schema=False)
    async def throttled() -> Response:
        raise Throttled(retry_after_ms=1_200)

    @api.get("/away", include_in_schema=False)
    async def away() -> Response:
        raise ExchangeUnreachable(reason="10.0.0.7 refused")

    @api.get("/half", include_in_schema=False)
    async def half() -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"half"
            raise ValueError

        return StreamingResponse(pieces())

    return api


@pytest.fixture
async def client(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
