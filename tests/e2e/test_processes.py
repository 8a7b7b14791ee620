"""The command as people run it: a process of its own, with servers of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from sqlalchemy import text

from support.ports import free_port
from support.waiting import eventually
from trinity_beast.adapters.postgres import make_engine

KEY = re.compile(r"tb_live_[0-9A-Za-z]{38}")
COMMAND = (sys.executable, "-m", "trinity_beast.apps.cli")


class Beast(NamedTuple):
    """A running command."""

    process: asyncio.subprocess.Process
    home: Path
    url: str

    async def said(self, pattern: re.Pattern[str]) -> str:
        """Read its output up to a match."""
        assert self.process.stdout is not None
        while line := await asyncio.wait_for(self.process.stdout.readline(), 60):
            found = pattern.search(line.decode())
            if found:
                return found[0]
        pytest.fail(f"it ended before it said {pattern.pattern}")

    async def end(self) -> int:
        """Ask it to end and return its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(self.process.communicate(), 30)
        return self.process.returncode or 0


async def start(home: Path, *words: str, **variables: str) -> Beast:
    port = free_port()
    places = {"BEAST_HOME": str(home), "LPO_PORT": str(port), "LOG_LEVEL": "warn"}
    places["LPO_UDP_PORT"] = str(free_port())
    inherited = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - the child needs a PATH
        if name not in {"DATABASE_URL", "VALKEY_URL"}
    }
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *words,
        env={**inherited, **places, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return Beast(process, home, f"http://127.0.0.1:{port}")


async def finish(home: Path, *words: str, **variables: str) -> tuple[int, str]:
    """Run a command to its end; return its exit code and all that it said."""
    beast = await start(home, *words, **variables)
    said, _ = await asyncio.wait_for(beast.process.communicate(), 60)
    return beast.process.returncode or 0, said.decode()


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Beast]:
    beast = await start(tmp_path / "home", "demo")
    yield beast
    await beast.end()


async def ask(beast: Beast, key: str, asset: str = "BTC") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=beast.url, trust_env=False) as http:
        return await http.get("/price", params={"asset": asset}, headers=headers)


async def recorded(home: Path) -> int:
    running = json.loads((home / "servers.json").read_text(encoding="utf-8"))
    engine = make_engine(running["database_url"], application_name="tests")
    async with engine.connect() as database:
        count = await database.scalar(text("SELECT count(*) FROM usage_logs"))
    await engine.dispose()
    return count or 0


async def test_a_demo_serves_records_and_ends_in_good_order(demo: Beast) -> None:
    key = await demo.said(KEY)
    first = await ask(demo, key)
    refused, words = await finish(demo.home, "demo")
    price_code, price = await finish(
        demo.home,
        "price",
        "eth",
        LPO_PORT=demo.url.rpartition(":")[2],
    )
    answered = [await ask(demo, key) for _ in range(20)]
    code = await demo.end()

    again = await start(demo.home, "demo")
    same_key = await again.said(KEY)
    rows = await recorded(demo.home)
    await again.end()

    assert first.status_code == 200
    assert first.json()["status"] == "✅ [LPO] [us-east-2] [BeastMain] [/price] [200]"
    assert (refused, str(demo.process.pid) in words) == (1, True)
    assert (price_code, '"asset":"ETH"' in price) == (0, True)
    assert {answer.status_code for answer in answered} == {200}
    assert code == 0
    assert same_key == key
    assert rows == 22


async def test_known_keys_work_while_a_killed_database_comes_back(demo: Beast) -> None:
    key = await demo.said(KEY)
    first = await ask(demo, key)
    running = json.loads((demo.home / "servers.json").read_text(encoding="utf-8"))

    os.kill(running["postgres_pid"], signal.SIGKILL)
    during = [(await ask(demo, key)).status_code for _ in range(10)]

    async def all_recorded() -> bool:
        try:
            return await recorded(demo.home) == 11
        except (OSError, ValueError):
            return False

    assert first.status_code == 200
    assert during == [200] * 10
    assert await eventually(all_recorded, patience_s=30)


async def test_records_wait_on_disk_while_a_killed_queue_comes_back(
    demo: Beast,
) -> None:
    key = await demo.said(KEY)
    running = json.loads((demo.home / "servers.json").read_text(encoding="utf-8"))

    os.kill(running["valkey_pid"], signal.SIGKILL)
    answered = [(await ask(demo, key)).status_code for _ in range(10)]

    async def all_recorded() -> bool:
        return await recorded(demo.home) == 10

    assert answered == [200] * 10
    assert await eventually(all_recorded, patience_s=30)


async def test_a_demo_that_was_killed_starts_again(demo: Beast) -> None:
    key = await demo.said(KEY)
    await ask(demo, key)
    demo.process.kill()
    await demo.process.wait()

    again = await start(demo.home, "demo")
    same_key = await again.said(KEY)
    answer = await ask(again, same_key)
    await again.end()

    assert same_key == key
    assert answer.status_code == 200


async def test_a_role_waits_for_its_database_with_a_line_a_second(
    tmp_path: Path,
) -> None:
    nowhere = f"postgresql://beast:s3cret@127.0.0.1:{free_port()}/beast"
    waiting = await start(
        tmp_path / "home",
        "run",
        "writer",
        DATABASE_URL=nowhere,
        VALKEY_URL=f"valkey://127.0.0.1:{free_port()}/0",
    )

    said = [await waiting.said(re.compile(".*waiting for the database.*"))]
    said.append(await waiting.said(re.compile(".*waiting for the database.*")))
    code = await waiting.end()

    assert code == 0
    assert "s3cret" not in str(said)
