from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from trinity_beast.toolkit.http.problems import CODES

if TYPE_CHECKING:
    from trinity_beast.toolkit.http.api import Api


THIRD_PARTIES = re.compile(r"<(?:script|link|img|iframe|object)|https?://|@import")


def problem(answer: httpx.Response, code: str, detail: str) -> dict[str, object]:
    return {
        "type": f"/errors/{code}",
        "title": CODES[code].title,
        "status": answer.status_code,
        "detail": detail,
        "instance": answer.headers["x-request-id"],
        "code": code,
    }


async def test_each_answer_has_a_request_id_of_ours(client: httpx.AsyncClient) -> None:
    asked = {"X-Request-Id": "mine"}

    first = await client.get("/hello", headers=asked)
    second = await client.get("/nowhere", headers=asked)

    ids = [UUID(answer.headers["x-request-id"]) for answer in (first, second)]
    assert [each.version for each in ids] == [7, 7]
    assert ids[0] != ids[1]
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["x-content-type-options"] == "nosniff"


async def test_a_route_may_allow_keeping(client: httpx.AsyncClient) -> None:
    assert (await client.get("/kept")).headers["cache-control"] == "no-cache"


async def test_an_unknown_path_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == problem(answer, "not_found", "There is nothing here.")


async def test_a_slash_too_many_is_not_redirected(client: httpx.AsyncClient) -> None:
    assert (await client.get("/hello/")).status_code == 404


async def test_a_wrong_method_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/hello")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.json() == problem(
        answer,
        "method_not_allowed",
        "This path takes GET.",
    )


async def test_a_wrong_type_is_a_problem_naming_the_parameter(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/typed?count=many")

    assert answer.status_code == 400
    assert answer.json() == problem(
        answer,
        "invalid_request",
        "The parameter count is not valid: input should be a valid integer, unable to"
        " parse string as an integer.",
    )


async def test_our_own_errors_are_problems(client: httpx.AsyncClient) -> None:
    throttled = await client.get("/throttled")
    away = await client.get("/away")

    assert throttled.headers["retry-after"] == "2"
    assert throttled.json() == {
        **problem(throttled, "rate_limited", "Too many requests; wait a little."),
        "retry_after_ms": 1_200,
    }
    assert away.json() == problem(
        away,
        "overloaded",
        "The service cannot answer right now; try again shortly.",
    )


@pytest.mark.parametrize(
    ("refused", "status", "code"),
    [
        (404, 404, "not_found"),
        (413, 413, "payload_too_large"),
        (415, 400, "invalid_request"),
        (502, 500, "internal"),
    ],
)
async def test_refusals_of_the_framework_are_problems(
    client: httpx.AsyncClient,
    refused: int,
    status: int,
    code: str,
) -> None:
    answer = await client.get(f"/refused/{refused}")

    assert answer.status_code == status
    assert answer.json() == problem(answer, code, answer.json()["detail"])


async def test_a_mistake_of_ours_is_logged_and_tells_nothing(
    client: httpx.AsyncClient,
) -> None:
    with capture_logs() as lines:
        answer = await client.get("/broken?password=hunter2")

    assert answer.status_code == 500
    assert answer.json() == problem(
        answer,
        "internal",
        "Something went wrong on our side.",
    )
    assert lines == [
        {
            "event": "request failed",
            "log_level": "error",
            "request_id": answer.headers["x-request-id"],
            "method": "GET",
            "path": "/broken",
            "exc_info": True,
        },
    ]


async def test_half_an_answer_is_cut_not_continued(api: Api) -> None:
    transport = httpx.ASGITransport(api)

    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        with capture_logs() as lines, pytest.raises(ValueError, match=r"^$"):
            await client.get("/half")

    assert [line["path"] for line in lines] == ["/half"]


async def test_a_client_that_hangs_up_gets_no_answer(api: Api) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    with capture_logs() as lines:
        await api(
            {
                "type": "http",
                "method": "POST",
                "path": "/echo",
                "query_string": b"",
                "headers": [],
            },
            receive,
            send,
        )

    assert sent == []
    assert [line["event"] for line in lines] == ["the client went away"]


async def test_other_scopes_pass_through(api: Api) -> None:
    sent: list[Message] = []
    heard = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Message:
        return next(heard)

    async def send(message: Message) -> None:
        sent.append(message)

    await api({"type": "lifespan", "state": {}}, receive, send)

    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_a_body_may_have_64_kilobytes(client: httpx.AsyncClient) -> None:
    body = b'{"a":"' + b"x" * 65_528 + b'"}'

    answer = await client.post("/echo", content=body)

    assert len(body) == 65_536
    assert answer.json() == {"a": "x" * 65_528}


async def test_one_byte_more_is_too_large(client: httpx.AsyncClient) -> None:
    answer = await client.post("/echo", content=b" " * 65_537)

    assert answer.status_code == 413
    assert answer.json() == problem(
        answer,
        "payload_too_large",
        "The request is too large; at most 65536 bytes are read.",
    )


async def test_a_body_without_a_length_is_counted(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 30_000

    answer = await client.post("/echo", content=pieces())

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


async def test_a_route_without_a_body_is_not_troubled(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.request("GET", "/hello?a=1", content=b" " * 70_000)

    assert answer.json() == {"a": "1"}


async def test_every_code_has_a_page(client: httpx.AsyncClient) -> None:
    for code, meaning in CODES.items():
        machine = await client.get(f"/errors/{code}")
        human = await client.get(f"/errors/{code}", headers={"Accept": "text/html"})

        assert machine.json() == {
            "code": code,
            "status": meaning.status,
            "title": meaning.title,
            "explanation": meaning.explanation,
        }
        assert human.headers["content-type"] == "text/html; charset=utf-8"
        assert f"<h1>{meaning.title}</h1>" in human.text


async def test_other_codes_have_none(client: httpx.AsyncClient) -> None:
    answer = await client.get("/errors/nonsense")

    assert answer.json() == problem(answer, "not_found", "There is nothing here.")


async def test_the_document_describes_the_routes(client: httpx.AsyncClient) -> None:
    first = (await client.get("/openapi.json")).json()
    again = (await client.get("/openapi.json")).json()

    assert first == again
    assert first["openapi"] == "3.1.0"
    assert list(first["paths"]) == ["/hello", "/echo"]
    assert list(first["components"]["securitySchemes"]) == ["bearer", "api_key"]
    assert list(first["components"]["schemas"]) == ["Problem", "TbcError"]


async def test_the_reference_asks_nothing_of_third_parties(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/docs")

    assert "<code>GET /hello</code>" in page.text
    assert "Says <code>hello</code>." in page.text
    assert "<h2>Greetings</h2>" in page.text
    assert not re.findall(
        r"<(?:script|link|img|iframe|object)|https?://|@import", page.text
    )
    assert page.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'sha256-",
    )


async def test_the_reference_answers_head(client: httpx.AsyncClient) -> None:
    assert (await client.head("/docs")).status_code == 200
