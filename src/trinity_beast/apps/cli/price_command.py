"""`beast price BTC`: one price from the server that runs here."""

from __future__ import annotations

from typing import Annotated

import httpx
import typer

from trinity_beast.apps.cli.session import FAILED, Session, run
from trinity_beast.apps.demo_key import read_demo_key
from trinity_beast.kernel.errors import Invalid, Unavailable

_TIMEOUT_S = 5.0


class KeyNeeded(Invalid):
    """Prices need a key, and none was given."""

    code = "missing_key"
    template = "Prices need a key: pass --key or set BEAST_KEY."


class ServerAway(Unavailable):
    """No server answers at the address of this home's settings."""

    code = "server_away"
    template = "No server answers at {url}; start one with: ./beast demo"


def price(
    asset: Annotated[str, typer.Argument(help="Which asset, such as BTC.")],
    key: Annotated[
        str | None,
        typer.Option(envvar="BEAST_KEY", help="The API key; a demo's own by default."),
    ] = None,
) -> None:
    """Ask the running server for one price and print the answer."""

    async def command(session: Session) -> bool:
        answer = await _ask(session, asset, key)
        print(answer.text)
        return answer.is_success

    if not run(command):
        raise typer.Exit(FAILED)


async def _ask(session: Session, asset: str, key: str | None) -> httpx.Response:
    secret = key or read_demo_key(session.settings.node.home)
    if secret is None:
        raise KeyNeeded
    listen = session.settings.listen
    url = f"http://{listen.host}:{listen.lpo_port}"
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
            return await client.get(
                f"{url}/price",
                params={"asset": asset},
                headers={"Authorization": f"Bearer {secret}"},
            )
    except httpx.TransportError as error:
        raise ServerAway(url=url) from error
