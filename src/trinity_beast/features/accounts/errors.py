"""What can go wrong with accounts."""

from __future__ import annotations

from trinity_beast.kernel.errors import Invalid, NotFound


class InvalidEmail(Invalid):
    """The text is no e-mail address that a letter could be sent to."""

    template = "This is not an e-mail address: {problem}."


class UserNotFound(NotFound):
    """No account has this id."""

    template = "There is no such account."
