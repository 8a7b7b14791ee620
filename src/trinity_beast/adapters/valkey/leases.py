"""Leases in Valkey: one Lua script debits bucket and month of a key together.

Keys, all with an end to their life:

* ``limits:{ID}:bucket``: a hash with level ``l`` in microtokens at ``t`` microseconds,
  for rate ``q`` and depth ``b``; one that is not there is full.
* ``limits:{ID}:MONTH``: a hash with the places used ``u``, a share of each holder
  ``p:HOLDER`` as ``places:expires``, when somebody went short ``s``, and the last reset
  by hand ``r`` to ``v``.
* ``limits:holders``, ``limits:short``: sorted sets of processes and of keys, by time.

The clock is Valkey's own, so nodes whose clocks differ share one bucket rightly.  All
numbers are whole and below 2^53, where Lua's arithmetic is exact.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import NamedTuple, cast

from glide import GlideClient, GlideError, Script, TEncodable

from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.leases import (
    Ask,
    Beat,
    BucketSlice,
    Given,
    LeasesUnreachable,
    MonthSlice,
)

SHARE_FOR_S = 3_600
"""How long a share is kept for a process that is not heard of any more."""

HOLDER_FOR_S = 15
"""How long a process counts as living after its last heartbeat."""

_SHORT_FOR_S = 10
_RESET_ONCE_WITHIN_S = 5
_KEEP_AFTER_MONTH_S = 7 * 86_400
_NANO_IN_MICRO = 1_000
_NONE = -1
_HOLDERS = "limits:holders"
_SHORT = "limits:short"

_EXCHANGE = f"""\
local function whole(x) return string.format('%.0f', x) end
local arg = {{}}
for i = 2, #ARGV do arg[i] = tonumber(ARGV[i]) end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- 1 holder; bucket: 2 qps 3 burst 4 want 5 back; month: 6 limit 7 known 8 want
-- 9 back 10 unreported 11 reset 12 share 13 live 14 expires at, in s 15 keep a share
local used, others, short_at, reset_at, reset_to = nil, 0, nil, nil, nil
local mine = 'p:' .. ARGV[1]
local limit, known = arg[6], arg[7]
if limit >= 0 then
  local flat = redis.call('HGETALL', KEYS[2])
  for i = 1, #flat, 2 do
    local name, value = flat[i], flat[i + 1]
    if name == 'u' then used = tonumber(value)
    elseif name == 's' then short_at = tonumber(value)
    elseif name == 'r' then reset_at = tonumber(value)
    elseif name == 'v' then reset_to = tonumber(value)
    elseif name ~= mine then
      local places, expires = string.match(value, '^(%d+):(%d+)$')
      if tonumber(expires) > now then others = others + tonumber(places)
      else redis.call('HDEL', KEYS[2], name) end
    end
  end
  if not used and known < 0 then return {{1, 0, 0, 0, 0, 0, 0, now, 0}} end
end

local granted, level = 0, 0
if arg[2] >= 0 then
  local qps, burst = arg[2], arg[3]
  local depth = burst * 1000000
  if qps == 0 then depth = 0 end
  level = depth
  local had = redis.call('HMGET', KEYS[1], 'l', 't', 'q', 'b')
  if had[1] then
    local q, b = tonumber(had[3]), tonumber(had[4])
    local deep = b * 1000000
    if q == 0 then deep = 0 end
    local flown = math.max(0, now - had[2]) * q
    local was = math.min(deep, had[1] + flown)
    if q == qps and b == burst then level = was
    elseif deep > 0 then level = math.floor(depth * was / deep) end
  end
  level = math.min(depth, level + arg[5] * 1000000)
  granted = math.min(arg[4], math.floor(level / 1000000))
  level = level - granted * 1000000
  redis.call('HSET', KEYS[1], 'l', whole(level), 't', whole(now),
    'q', whole(qps), 'b', whole(burst))
  local full_in = 0
  if qps > 0 then full_in = math.ceil((depth - level) / qps / 1000) end
  redis.call('PEXPIRE', KEYS[1], whole(full_in + 60000))
end

local places, share, advised, short = 0, 0, 0, 0
if limit >= 0 then
  local created = not used
  used = math.max(used or 0, known)
  local reset = arg[11]
  if reset >= 0 and not (reset_to == reset
      and now - reset_at < {_RESET_ONCE_WITHIN_S}000000) then
    used = reset
    redis.call('HSET', KEYS[2], 'r', whole(now), 'v', whole(reset))
  end
  used = math.max(0, used + arg[10] - arg[9])
  share = arg[12]
  local want, live = arg[8], math.max(1, arg[13])
  local free = math.max(0, limit - used - others - share)
  places = math.min(want, free)
  if live > 1 then places = math.min(places, math.max(1, math.floor(free / live))) end
  places = math.min(places, free)
  used = used + places
  local starving = want > 0 and places == 0
  if starving and others > 0 then
    short, short_at = 1, now
    redis.call('HSET', KEYS[2], 's', whole(now))
  end
  if not starving and not (short_at and now - short_at < {_SHORT_FOR_S}000000) then
    advised = math.floor(math.max(0, limit - used - others) / (2 * live))
  end
  if not (arg[15] > 0) then advised = 0 end
  share = math.max(share, advised)
  redis.call('HSET', KEYS[2], 'u', whole(used))
  if share > 0 then
    local expires = now + {SHARE_FOR_S}000000
    redis.call('HSET', KEYS[2], mine, whole(share) .. ':' .. whole(expires))
  else redis.call('HDEL', KEYS[2], mine) end
  if created then redis.call('EXPIREAT', KEYS[2], whole(arg[14])) end
end
return {{0, granted, level, places, used or 0, share, advised, now, short}}
"""

_BEAT = f"""\
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function before(s) return string.format('(%.0f', now - s * 1000000) end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', before({HOLDER_FOR_S}))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', before({_SHORT_FOR_S}))
return {{redis.call('ZCARD', KEYS[1]), redis.call('ZRANGE', KEYS[2], 0, -1)}}
"""

_Run = Callable[[Script, list[TEncodable], list[TEncodable]], Awaitable[object]]


class ValkeyLeases:
    """``Leases`` in one Valkey; can be built while it is away.

    Args:
        client: For all commands; its time-out is how long an exchange may take.
        holder: Name of this process, unique among those that share the keys.
    """

    def __init__(self, client: GlideClient, holder: str) -> None:
        self._client = client
        self._holder = holder
        self._exchange = Script(_EXCHANGE)
        self._beat = Script(_BEAT)
        # GLIDE's own type of an answer refers to itself, which no checker resolves.
        self._run = cast("_Run", client.invoke_script)

    async def exchange(self, ask: Ask) -> Given:
        """Give back, report and take, in one script.

        Raises:
            LeasesUnreachable: Valkey is away; nothing is known of what became of it.
        """
        keys: list[TEncodable] = [
            f"limits:{{{ask.key_id}}}:bucket",
            _month_key(ask.key_id, ask.month.month if ask.month else 0),
        ]
        with _asking():
            answer = await self._run(
                self._exchange,
                keys,
                [self._holder, *map(str, _numbers(ask))],
            )
            told = _Told(*cast("list[int]", answer))
            if told.short:
                await self._client.zadd(_SHORT, {ask.key_id: float(told.now_us)})
        return _given(ask, told)

    async def let_go(self, key_id: str, month: int) -> None:
        """Give up the share of a key's month that is kept for this process.

        Raises:
            LeasesUnreachable: Valkey is away.
        """
        with _asking():
            await self._client.hdel(_month_key(key_id, month), [f"p:{self._holder}"])

    async def beat(self) -> Beat:
        """Tell that this process lives, and learn of the others.

        Raises:
            LeasesUnreachable: Valkey is away.
        """
        keys: list[TEncodable] = [_HOLDERS, _SHORT]
        with _asking():
            answer = await self._run(self._beat, keys, [self._holder])
        live, short = cast("tuple[int, list[bytes]]", answer)
        return Beat(live, tuple(key.decode() for key in short))

    async def leave(self) -> None:
        """Tell that this process ends.

        Raises:
            LeasesUnreachable: Valkey is away.
        """
        with _asking():
            await self._client.zrem(_HOLDERS, [self._holder])


def _month_key(key_id: str, month: int) -> str:
    return f"limits:{{{key_id}}}:{month}"


class _Told(NamedTuple):
    """What the script answers."""

    missing: int
    tokens: int
    level: int
    places: int
    used: int
    share: int
    advised: int
    now_us: int
    short: int


@contextmanager
def _asking() -> Generator[None]:
    try:
        yield
    except GlideError as error:
        raise LeasesUnreachable(reason=str(error)) from error


def _numbers(ask: Ask) -> list[int]:
    """Return the script's arguments from the second on."""
    bucket, month = ask.bucket, ask.month
    numbers = list(bucket) if bucket else [_NONE, 0, 0, 0]
    if month is None:
        return [*numbers, _NONE, _NONE, 0, 0, 0, _NONE, 0, ask.live, 0, 0]
    return [
        *numbers,
        month.limit,
        _NONE if month.known is None else month.known,
        month.want,
        month.back,
        month.unreported,
        _NONE if month.reset_to is None else month.reset_to,
        month.share,
        ask.live,
        month.ends_at_ns // NS_PER_S + _KEEP_AFTER_MONTH_S,
        int(month.keep),
    ]


def _given(ask: Ask, told: _Told) -> Given:
    if told.missing:
        return Given(missing=True, bucket=None, month=None)
    bucket = month = None
    if ask.bucket is not None:
        bucket = BucketSlice(told.tokens, told.level * _NANO_IN_MICRO)
    if ask.month is not None:
        month = MonthSlice(told.places, told.used, told.share, told.advised)
    return Given(missing=False, bucket=bucket, month=month)
