"""The examples of the documentation, run against a node in this process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple, cast

import pytest

from support.nodes import SIMULATED
from support.ports import free_port
from trinity_beast.adapters.system import SystemClock, SystemRandomness
from trinity_beast.apps.node import ROLES, open_node, prices_are_there
from trinity_beast.apps.servers import Machine, Servers
from trinity_beast.apps.settings import read_settings
from trinity_beast.features.keys import KeyService
from trinity_beast.toolkit.work import UnitOfWork

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE_S = 30


class Example(NamedTuple):
    """A block of code, and the answer shown below it."""

    name: str
    language: str
    code: str
    shown: str


def examples() -> list[Example]:
    found: list[Example] = []
    for page in (ROOT / "docs/how-to/use-the-api.md", ROOT / "README.md"):
        text = page.read_text(encoding="utf-8")
        blocks = [(it[1], it[2], it.start(), it.end()) for it in FENCE.finditer(text)]
        follows = {start: (language, code) for language, code, start, _ in blocks}
        for language, code, start, end in blocks:
            if language not in {"python", "sh", "javascript"}:
                continue
            # An answer is shown right below its question.
            below, shown = follows.get(end + 1, ("", ""))
            line = text.count("\n", 0, start) + 1
            name = f"{page.stem}:{line}:{language}"
            found.append(Example(name, language, code, shown * (below == "json")))
    return found


class Where(NamedTuple):
    """The node's addresses and a key for it."""

    port: int
    udp_port: int
    key: str

    def adapted(self, code: str) -> str:
        """Return an example's code for this node instead of a demo."""
        here = code.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        return here.replace("2679", str(self.udp_port))


@pytest.fixture
async def where(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    valkey_url: str,
    seeded_work: UnitOfWork,
) -> AsyncIterator[Where]:
    """Run a node on a simulated market, as a demo does."""
    port, udp_port = free_port(), free_port()
    monkeypatch.setenv("BEAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LPO_PORT", str(port))
    monkeypatch.setenv("LPO_UDP_PORT", str(udp_port))
    monkeypatch.setenv("LOG_LEVEL", "error")
    clock, randomness = SystemClock(), SystemRandomness()
    issued = await KeyService(seeded_work, clock, randomness, "sealed").create(
        "dev@example.org",
        "unlimited",
    )
    told: list[str] = []
    machine = Machine(clock, randomness, told.append)
    servers = Servers(database_url, valkey_url)
    settings = read_settings()
    async with open_node(settings, machine, servers, SIMULATED, tuple(ROLES)) as node:
        await prices_are_there(node)
        yield Where(port, udp_port, issued.secret)


async def test_every_example_of_the_documentation_works(
    where: Where,
    subtests: pytest.Subtests,
) -> None:
    for example in examples():
        with subtests.test(example.name):
            code, said, complaint = await run(example, where)

            assert (code, bool(said)) == (0, True), complaint or said
            if example.shown:
                assert shape(json.loads(said)) == shape(json.loads(example.shown))


def test_there_are_examples_of_each_kind() -> None:
    found = [example.language for example in examples()]

    assert {name: found.count(name) > 3 for name in set(found)} == {
        "python": True,
        "sh": True,
        "javascript": True,
    }


async def run(example: Example, where: Where) -> tuple[int, str, str]:
    """Run an example as its reader would; return exit code, output and complaints."""
    code = where.adapted(example.code)
    commands = {
        "sh": ["sh", "-c", code],
        "python": [sys.executable, "-W", "error", "-c", code],
        "javascript": ["node", "--input-type=module", "--eval", code],
    }
    command = commands[example.language]
    if shutil.which(command[0]) is None or ("curl" in code and not curl_is_there()):
        pytest.skip(f"{example.language} cannot be run here")
    if "new WebSocket" in code and await node_version() < 22:
        if await node_version() < 20:
            pytest.skip("this Node has no WebSocket; 22 has")
        command.insert(1, "--experimental-websocket")
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "BEAST_KEY": where.key},  # noqa: TID251 - it needs a PATH
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode or 0, said[0].decode(), said[1].decode()


def curl_is_there() -> bool:
    return shutil.which("curl") is not None


async def node_version() -> int:
    process = await asyncio.create_subprocess_exec(
        "node",
        "--version",
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    return int(said.decode().lstrip("v").split(".")[0])


def shape(value: object) -> object:
    """Return what kind of JSON it is: the members and their types, not their values."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return [(name, shape(member)) for name, member in members.items()]
    if isinstance(value, list):
        return [shape(item) for item in cast("list[object]", value)]
    return type(value).__name__
