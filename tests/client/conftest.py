"""Both clients, beside a price server in small."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from support.either_client import EitherClient, Pace
from support.price_server import (
    KEY,
    DatagramServer,
    PriceServer,
    datagram_server,
    price_server,
)
from trinity_beast.client import Options

QUICK = Options(timeout_s=5.0, udp_timeout_s=5.0)


class MakeClient(Protocol):
    """Makes a client, closed after the test."""

    def __call__(
        self, options: Options = QUICK, url: str = "", key: str = KEY
    ) -> EitherClient:
        """Return it; without a URL it asks the server in small."""
        ...


@pytest.fixture
def pace() -> Pace:
    return Pace()


@pytest.fixture
async def server() -> AsyncIterator[PriceServer]:
    async with price_server() as server:
        yield server


@pytest.fixture
async def datagrams() -> AsyncIterator[DatagramServer]:
    async with datagram_server() as server:
        yield server


@pytest.fixture(params=["blocking", "asyncio"])
async def make_client(
    request: pytest.FixtureRequest,
    server: PriceServer,
    pace: Pace,
) -> AsyncIterator[MakeClient]:
    made: list[EitherClient] = []

    def make(options: Options = QUICK, url: str = "", key: str = KEY) -> EitherClient:
        client = EitherClient(request.param, url or server.url, options, pace, key)
        made.append(client)
        return client

    yield make
    for client in made:
        await client.close()


@pytest.fixture
def client(make_client: MakeClient) -> EitherClient:
    return make_client()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate that no system knows."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    if shutil.which("openssl") is None:
        pytest.skip("openssl is needed to make a certificate")
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", *kind, *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    return key, certificate
