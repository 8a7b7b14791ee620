"""The two clients are one but for waiting."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

import pytest

from trinity_beast import client
from trinity_beast.client import (
    AsyncBeastClient,
    AsyncPriceStream,
    BeastClient,
    PriceStream,
)

PACKAGE = Path(client.__file__).parent
ALLOWED = {"httpx", "websockets", "trinity_beast"} | sys.stdlib_module_names


def shape(kind: type) -> dict[str, str]:
    """Return the public methods of a class, as their callers know them."""
    return {
        name: str(inspect.signature(method)).replace("Async", "")
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") or name == "__init__"
    }


def promises(kind: type) -> dict[str, str]:
    """Return what the public methods say of themselves, examples aside."""
    return {
        name: "\n".join(
            line
            for line in (inspect.getdoc(method) or "").splitlines()
            if not line.startswith((">>>", "..."))
        )
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


@pytest.mark.parametrize(
    ("blocking", "concurrent"),
    [(BeastClient, AsyncBeastClient), (PriceStream, AsyncPriceStream)],
)
def test_both_have_the_same_methods_and_promise_the_same(
    blocking: type,
    concurrent: type,
) -> None:
    assert shape(blocking) == shape(concurrent)
    assert promises(blocking) == promises(concurrent)


@pytest.mark.parametrize("file", sorted(PACKAGE.glob("*.py")), ids=lambda it: it.stem)
def test_the_client_stands_on_httpx_and_websockets_alone(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    plain = [it for it in ast.walk(tree) if isinstance(it, ast.Import)]
    froms = [it.module for it in ast.walk(tree) if isinstance(it, ast.ImportFrom)]
    names = [alias.name for it in plain for alias in it.names]
    names += [name for name in froms if name]

    assert {name.split(".")[0] for name in names} <= ALLOWED
    ours = {name for name in names if name.startswith("trinity_beast")}
    assert all(name.startswith("trinity_beast.client") for name in ours)
