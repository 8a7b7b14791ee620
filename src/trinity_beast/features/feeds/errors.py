"""What can be wrong with a feed's row, or with the files of ``beast feeds decode``."""

from __future__ import annotations

from trinity_beast.kernel.errors import Invalid


class FeedRowInvalid(Invalid):
    """A row of ``exchange_feeds`` cannot work; other exchanges are not touched."""

    code = "feed_row_invalid"
    template = "{exchange}: {column} {reason}"

    def __init__(self, exchange: str, column: str, reason: str) -> None:
        self.exchange = exchange
        self.column = column
        self.reason = reason
        super().__init__(exchange=exchange, column=column, reason=reason)


class RowsInvalid(Invalid):
    """A file of rows is not a list of objects with the table's column names."""

    code = "feed_rows_invalid"
    template = "The rows cannot be used: {reason}."

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class ExchangeNotChosen(Invalid):
    """The rows hold several exchanges, and nothing says which one sent the frames."""

    code = "feed_exchange_unknown"
    template = "Say which exchange sent the frames: {choices}."

    def __init__(self, choices: str) -> None:
        super().__init__(choices=choices)


class FrameLineInvalid(Invalid):
    """One line of a file of frames is no record; the others still count."""

    code = "feed_frame_line_invalid"
    template = "Line {line}: {reason}."

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(line=line, reason=reason)
