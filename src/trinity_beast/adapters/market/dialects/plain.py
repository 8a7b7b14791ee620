"""A venue without manners of its own, for frames of an exchange that we do not know.

It takes whatever a client says for a subscription and beats once a second: enough to
play back a recording of an exchange that somebody added to the table.
"""

from __future__ import annotations

from collections.abc import Sequence

from trinity_beast.adapters.market.dialects.conversation import Conversation
from trinity_beast.adapters.market.dialects.dialect import Dialect, LastTrade

_HEARTBEAT = '{"channel":"heartbeat"}'


class PlainDialect(Dialect):
    """Understands everything, answers nothing."""

    def hear(self, talk: Conversation, text: str, at_ns: int) -> Sequence[str]:
        """Take anything for a subscription to everything."""
        del text, at_ns
        talk.join("trades", ("*",), primed=False)
        return ()

    def heartbeats(
        self,
        talk: Conversation,
        last: LastTrade,
        at_ns: int,
    ) -> Sequence[str]:
        """Return a frame that is no trade."""
        del talk, last, at_ns
        return (_HEARTBEAT,)
