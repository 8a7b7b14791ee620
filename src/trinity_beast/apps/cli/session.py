"""What every command shares: settings, the event loop, and how failures are told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

import typer
import uvloop
from rich.console import Console

from trinity_beast.adapters.system import SystemClock, SystemRandomness
from trinity_beast.apps.machine import Machine
from trinity_beast.apps.settings import Settings, read_settings
from trinity_beast.kernel.errors import BeastError, Invalid
from trinity_beast.toolkit.logs import set_up_logs

FAILED = 1
MISUSED = 2
Result = TypeVar("Result")


class Session(NamedTuple):
    """One run of one command.

    Attributes:
        settings: From the environment.
        machine: Clock, randomness, and where progress is told.
        out: Where results go.
    """

    settings: Settings
    machine: Machine
    out: Console


def run(command: Callable[[Session], Coroutine[Any, Any, Result]]) -> Result:
    """Run a command to its end on an event loop of its own.

    Errors with a message for people end the process: misuse with code 2, anything
    else that has a name with code 1.
    """
    try:
        return uvloop.run(command(_session()))
    except Invalid as error:
        _complain(error)
        raise typer.Exit(MISUSED) from error
    except BeastError as error:
        _complain(error)
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(FAILED) from error


def _session() -> Session:
    settings = read_settings()
    set_up_logs(settings.node.log_level)
    machine = Machine(SystemClock(), SystemRandomness(), _progress)
    return Session(settings, machine, Console(soft_wrap=True, highlight=False))


def _progress(line: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[dim]{line}[/dim]")


def _complain(error: BeastError) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"beast: {error.message}", style="red", markup=False)
    sys.stderr.flush()
