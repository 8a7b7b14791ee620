"""Everything that goes wrong becomes one of our problems, whoever noticed it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trinity_beast.kernel.errors import BeastError, Invalid, NotFound
from trinity_beast.toolkit.http.limits import MOST_BODY_BYTES
from trinity_beast.toolkit.http.problems import (
    MethodNotAllowed,
    PayloadTooLarge,
    problem_response,
)
from trinity_beast.toolkit.http.request_ids import request_id_of
from trinity_beast.toolkit.http.requests import ClientGone, ParameterInvalid, quoted

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]

_log = structlog.get_logger("http")
_NOT_FOUND = 404
_NOT_ALLOWED = 405
_TOO_LARGE = 413
_FIRST_SERVER_ERROR = 500


class Faults:
    """Answers ``internal`` for what nobody caught, and logs it with the request id.

    What was raised never reaches the client: it could hold anything.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the rest of the application under watch."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except ClientGone:
            _log.debug("the client went away", request_id=request_id_of(scope))
        except Exception:
            request_id = request_id_of(scope)
            _log.exception(
                "request failed",
                request_id=request_id,
                method=scope["method"],
                path=scope["path"],
            )
            if started:
                # Half an answer cannot be taken back; the server cuts the connection.
                raise
            await problem_response(BeastError(), request_id)(scope, receive, send)


async def answer_beast_error(request: Request, error: BeastError) -> Response:
    """Answer an error of our own that a route raised."""
    return problem_response(error, request_id_of(request.scope))


async def answer_http_exception(request: Request, error: HTTPException) -> Response:
    """Answer what the framework itself refuses: an unknown path, a wrong method."""
    return problem_response(_as_ours(error), request_id_of(request.scope))


async def answer_validation_error(
    request: Request,
    error: RequestValidationError,
) -> Response:
    """Answer parameters that the framework could not validate, naming the first."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    ours = ParameterInvalid(parameter=quoted(where), rule=str(first["msg"]).lower())
    return problem_response(ours, request_id_of(request.scope))


def fault_handlers() -> dict[int | type[Exception], Handler]:
    """Return the handlers that turn known exceptions into problems."""
    return {
        BeastError: answer_beast_error,
        HTTPException: answer_http_exception,
        RequestValidationError: answer_validation_error,
    }


def _as_ours(error: HTTPException) -> BeastError:
    if error.status_code == _NOT_FOUND:
        return NotFound()
    if error.status_code == _NOT_ALLOWED:
        return MethodNotAllowed(allow=(error.headers or {}).get("Allow", "GET"))
    if error.status_code == _TOO_LARGE:
        return PayloadTooLarge(most_bytes=MOST_BODY_BYTES)
    return BeastError() if error.status_code >= _FIRST_SERVER_ERROR else Invalid()
