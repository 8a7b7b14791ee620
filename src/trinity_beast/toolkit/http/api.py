"""An application with all HTTP manners in place; listeners add their routes to it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trinity_beast.kernel.errors import NotFound
from trinity_beast.toolkit.http.faults import Faults, fault_handlers
from trinity_beast.toolkit.http.limits import BodyLimit
from trinity_beast.toolkit.http.openapi import finish
from trinity_beast.toolkit.http.pages import error_page, reference_page
from trinity_beast.toolkit.http.problems import CODES
from trinity_beast.toolkit.http.request_ids import AnswerHeaders, RequestIds

_READ = ["GET", "HEAD"]


class Api(FastAPI):
    """FastAPI that answers in our forms and describes itself without a third party.

    Serves ``/openapi.json``, ``/docs`` and ``/errors/{code}`` by itself.

    Args:
        title: What it is, for its description.
        description: One paragraph, for its description.
        version: Version of the product.
        request_ids: Where each request gets its id from.
    """

    def __init__(
        self,
        *,
        title: str,
        description: str,
        version: str,
        request_ids: RequestIds,
    ) -> None:
        super().__init__(
            title=title,
            description=description,
            version=version,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            exception_handlers=fault_handlers(),
        )
        # The last one added is the outermost.
        self.add_middleware(BodyLimit)
        self.add_middleware(Faults)
        self.add_middleware(AnswerHeaders, request_ids)
        self.add_route("/openapi.json", self._document, _READ, include_in_schema=False)
        self.add_route("/docs", self._reference, _READ, include_in_schema=False)
        self.add_route("/errors/{code}", self._error, _READ, include_in_schema=False)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI 3.1 document of all routes added so far."""
        document = super().openapi()
        finish(document)
        return document

    async def _document(self, _: Request) -> Response:
        return JSONResponse(self.openapi(), headers={"Cache-Control": "no-cache"})

    async def _reference(self, _: Request) -> Response:
        return reference_page(self.openapi())

    async def _error(self, request: Request) -> Response:
        code: str = request.path_params["code"]
        problem = CODES.get(code)
        if problem is None:
            raise NotFound
        if "text/html" in request.headers.get("accept", ""):
            return error_page(problem)
        return JSONResponse(problem._asdict())
