"""The short way of a price request over HTTP: its bytes were seen before.

The ordinary way (parser, application, service) understands a request the first time.
What it understood is remembered by the request's exact bytes, so the same bytes are
the same request by construction; there is no second parser that could differ.  When
they come again, the answer is put together from what is already rendered: same limits,
same usage record, same bytes, but for what is new in each answer.

Nothing of the past is served: what is remembered points at the slot of its key, so a
revocation counts at once, and a rendered price is compared with the board for each
answer.  What is not usual takes the ordinary way, before anything was taken from
bucket or month.

Hot path: measured in bench/http.py, budget 7 microseconds an answer with all that the
server does for it; bench/short_way.py shows the parts.
"""

from trinity_beast.features.prices.fast.memory import Known, Memory
from trinity_beast.features.prices.fast.shortcut import PriceShortcut
from trinity_beast.features.prices.fast.texts import PriceText, PriceTexts

__all__ = ["Known", "Memory", "PriceShortcut", "PriceText", "PriceTexts"]
