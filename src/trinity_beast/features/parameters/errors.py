"""What can be wrong with a parameter."""

from __future__ import annotations

from trinity_beast.kernel.errors import Invalid


class ParameterRefused(Invalid):
    """The text is no value of this parameter."""

    template = "The parameter {name} cannot be {text!r}: {reason}."
