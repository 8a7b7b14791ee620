"""What a person sees when the system is ready."""

from __future__ import annotations

from trinity_beast.apps.shared import Shared


def banner(shared: Shared, secret: str | None) -> str:
    """Return the lines that tell where everything is and how to ask for a price.

    Args:
        shared: The parts of the running process.
        secret: A key to print with ready commands, or None.
    """
    listen = shared.settings.listen
    url = f"http://{listen.host}:{listen.lpo_port}"
    count = len(shared.catalogue.snapshot.asset_names())
    lines = [
        "",
        f"The Trinity Beast is ready: {shared.market.words}, {count} assets.",
        "",
        f"  prices   {url}/price",
        f"  docs     {url}/docs",
        f"  status   {url}/status",
        f"  home     {shared.settings.node.home.resolve()}",
    ]
    replay = shared.market.replay
    if replay is not None:
        lines += [f"  left out: {name}, {why}" for name, why in replay.left_out.items()]
    return "\n".join([*lines, *(_try_it(url, secret) if secret else []), ""])


def _try_it(url: str, secret: str) -> list[str]:
    key = f'-H "Authorization: Bearer {secret}"'
    return [
        f"  key      {secret}",
        "",
        f'  curl {key} "{url}/price?asset=BTC"',
        f'  curl {key} "{url}/prices?assets=BTC,ETH,SOL"',
        f"  curl {url}/asset-categories",
    ]
