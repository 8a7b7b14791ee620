"""`beast price BTC`: prices from the server that runs here."""

from __future__ import annotations

from typing import Annotated

import typer

from trinity_beast.apps.cli.session import FAILED, Session, run
from trinity_beast.apps.demo_key import read_demo_key
from trinity_beast.apps.settings import ListenSettings
from trinity_beast.client import (
    NEVER,
    AsyncBeastClient,
    BeastError as Refusal,
    Failure,
    Options,
    Price,
    Unreachable,
)
from trinity_beast.kernel.errors import BeastError, Invalid, Unavailable


class KeyNeeded(Invalid):
    """Prices need a key, and none was given."""

    code = "missing_key"
    template = "Prices need a key: pass --key or set BEAST_KEY."


class ServerAway(Unavailable):
    """No server answers at the address of this home's settings."""

    code = "server_away"
    template = "No server answers at {url}; start one with: ./beast demo"


class PriceRefused(BeastError):
    """The server has no price for us, and says why."""

    code = "price_refused"
    template = "{reason}"


def price(
    assets: Annotated[list[str], typer.Argument(help="Which assets, such as BTC.")],
    key: Annotated[
        str | None,
        typer.Option(envvar="BEAST_KEY", help="The API key; a demo's own by default."),
    ] = None,
    udp: Annotated[
        bool,
        typer.Option("--udp", help="Ask by a signed datagram instead of HTTP."),
    ] = False,
) -> None:
    """Ask the running server for prices and print each as a line of JSON."""

    async def command(session: Session) -> bool:
        secret = key or read_demo_key(session.settings.node.home)
        if secret is None:
            raise KeyNeeded
        answers = await _ask(session.settings.listen, assets, secret, udp=udp)
        for answer in answers:
            if isinstance(answer, Price):
                print(answer.to_json())
            else:
                typer.echo(f"{answer.asset}: {answer.error}", err=True)
        return all(isinstance(answer, Price) for answer in answers)

    if not run(command):
        raise typer.Exit(FAILED)


async def _ask(
    listen: ListenSettings,
    assets: list[str],
    secret: str,
    *,
    udp: bool,
) -> tuple[Price | Failure, ...]:
    url = f"http://{listen.host}:{listen.lpo_port}"
    # A person is told at once what happened, and does not wait for another try.
    options = Options(retry=NEVER, udp_port=listen.lpo_udp_port, use_proxies=False)
    try:
        async with AsyncBeastClient(secret, url, options=options) as beast:
            if udp:
                return (await beast.udp_prices(assets)).items
            if len(assets) > 1:
                return (await beast.prices(assets)).items
            return (await beast.price(assets[0]),)
    except Unreachable as error:
        raise ServerAway(url=f"udp port {options.udp_port}" if udp else url) from error
    except Refusal as error:
        raise PriceRefused(reason=str(error)) from error
