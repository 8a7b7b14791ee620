"""What can be wrong with a market that we make up or play back."""

from __future__ import annotations

from trinity_beast.kernel.errors import Invalid, NotFound


class VenueUnknown(NotFound):
    """The market has no venue of this name."""

    code = "unknown_venue"
    template = "The market has no venue named {venue}."


class NoticeUnknown(Invalid):
    """The venue never announces that it will close a connection."""

    code = "unknown_notice"
    template = "{venue} sends no notice before it closes a connection."


class RecordingsMissing(NotFound):
    """The directory of recordings, or the exchange asked for, is not there."""

    code = "recordings_missing"
    template = "Nothing can be played back: {reason}."


class RecordingUnreadable(Invalid):
    """A recording is not a file of JSON lines with ``dir`` and ``raw``."""

    code = "recording_unreadable"
    template = "{file} cannot be played back: {reason}."
