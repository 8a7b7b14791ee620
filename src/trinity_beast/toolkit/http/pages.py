"""Plain pages that load nothing from anywhere: the API's reference and the errors.

No script, no font, no image, no request to a third party; the one style sheet stands in
the page, and the content security policy names it by its hash.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from typing import Any

import msgspec
from starlette.responses import HTMLResponse

from trinity_beast.toolkit.http.problems import ERROR_PAGES, PROBLEMS, Problem

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5a6675;--line:#d5dbe3;
--page:#fff;--box:#f4f6f9;--link:#0b57c2}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9f0;--soft:#9aa7b8;--line:#333c49;
--page:#12161c;--box:#1b212a;--link:#8ab8ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.5rem;background:var(--page);
color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
a{color:var(--link)}
h1{font-size:1.7rem}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
h3{margin-top:2rem;font-size:1.05rem}
h3 code{font-size:1rem}
code,pre{font:.9rem/1.5 ui-monospace,monospace}
pre{background:var(--box);border:1px solid var(--line);border-radius:.4rem;
padding:.8rem;overflow-x:auto}
figure{margin:.6rem 0}pre{margin:.2rem 0}
.table{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.6rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;
border-bottom:1px solid var(--line)}
th,.soft{color:var(--soft);font-weight:500}
"""
_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def html_page(title: str, body: str) -> HTMLResponse:
    """Return a whole page; ``body`` is HTML whose text is escaped already."""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )
    headers = {
        "Content-Security-Policy": _POLICY,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return HTMLResponse(page, headers=headers)


def error_page(problem: Problem) -> HTMLResponse:
    """Return the page of one error code."""
    body = (
        f"<h1>{escape(problem.title)}</h1>"
        f"<p><code>{escape(problem.code)}</code> · HTTP {problem.status}</p>"
        f"<p>{_prose(problem.explanation)}</p>"
        '<p><a href="/docs">Reference</a></p>'
    )
    return html_page(f"{problem.title} ({problem.code})", body)


def reference_page(document: dict[str, Any]) -> HTMLResponse:
    """Return an OpenAPI document as a page to read."""
    info: dict[str, Any] = document["info"]
    parts = [
        f"<h1>{escape(info['title'])}</h1>",
        f'<p class="soft">{escape(info["version"])}</p>',
        f"<p>{_prose(info.get('description', ''))}</p>",
        '<p>Machine-readable: <a href="/openapi.json">/openapi.json</a></p>',
    ]
    for tag, operations in _by_tag(document).items():
        parts.append(f"<h2>{escape(tag)}</h2>")
        parts.extend(
            "".join(_operation(method, path, operation))
            for method, path, operation in operations
        )
    parts.append("<h2>Errors</h2>" + _errors_table())
    return html_page(info["title"], "".join(parts))


def _by_tag(
    document: dict[str, Any],
) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    tags: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = operation.get("tags", ["Other"])[0]
            tags.setdefault(tag, []).append((method.upper(), path, operation))
    return tags


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    name = escape(operation["operationId"])
    yield f'<h3 id="{name}"><code>{method} {escape(path)}</code></h3>'
    yield f"<p>{_prose(operation.get('description') or operation['summary'])}</p>"
    yield _table(
        ("Parameter", "In", "Meaning"),
        [
            (
                f"<code>{escape(parameter['name'])}</code>",
                escape(parameter["in"]),
                _prose(parameter.get("description", "")),
            )
            for parameter in operation.get("parameters", ())
        ],
    )
    body = operation.get("requestBody")
    if body:
        yield "<p>Body:</p>" + _examples(body)
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield f"<p>Answer {status}:</p>" + _examples(response)
    codes = _codes(operation)
    if codes:
        yield f"<p>Errors: {codes}</p>"


def _examples(described: dict[str, Any]) -> str:
    shown: list[str] = []
    for media in described.get("content", {}).values():
        for name, example in media.get("examples", {}).items():
            text = msgspec.json.format(msgspec.json.encode(example["value"]), indent=2)
            shown.append(
                f'<figure><figcaption class="soft">{escape(name)}</figcaption>'
                f"<pre>{escape(text.decode())}</pre></figure>",
            )
    return "".join(shown)


def _codes(operation: dict[str, Any]) -> str:
    codes: list[str] = []
    for response in operation["responses"].values():
        problem = response.get("content", {}).get("application/problem+json", {})
        codes.extend(problem.get("examples", {}))
    return ", ".join(_code_link(code) for code in codes)


def _errors_table() -> str:
    rows = [
        (_code_link(each.code), str(each.status), _prose(each.explanation))
        for each in PROBLEMS
    ]
    return _table(("Code", "Status", "Meaning"), rows)


def _code_link(code: str) -> str:
    return f'<a href="{ERROR_PAGES}{code}"><code>{code}</code></a>'


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    cells = "".join(f"<th>{title}</th>" for title in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="table"><table><tr>{cells}</tr>{lines}</table></div>'


def _prose(text: str) -> str:
    """Return text as HTML, with what stands between backticks set as code."""
    pieces = escape(text).split("`")
    return "".join(
        f"<code>{piece}</code>" if index % 2 else piece
        for index, piece in enumerate(pieces)
    )
