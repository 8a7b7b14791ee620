"""Monthly partitions of ``usage_logs``, as SQL text.

A month is a range of UUIDv7 ids.  Whatever has no month of its own, and any id that is
not of version 7, lies in ``usage_logs_default``.
"""

from __future__ import annotations

from trinity_beast.kernel.ids import lowest_uuid7
from trinity_beast.kernel.time import month_of, month_start_ns, next_month

DEFAULT_PARTITION = "usage_logs_default"
_FIRST_MONTH_OF_A_YEAR = 1
_MONTHS_AHEAD = 3

# One statement, so that it can be sent as it is.  The lock keeps two processes from
# making the same partition.  A month that gets its partition late takes its rows out of
# the default partition first, for PostgreSQL refuses to attach a range that the default
# partition holds rows of; ATTACH, unlike CREATE ... PARTITION OF, lets readers and
# writers of the other months go on.
_ENSURE = """\
DO $ensure$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('beast.usage_logs partitions'));
  IF (SELECT relkind <> 'p' FROM pg_class
      WHERE oid = 'public.usage_logs'::regclass) THEN
    RETURN;
  END IF;
{body}
END
$ensure$"""
_ENSURE_DEFAULT = f"""\
  CREATE TABLE IF NOT EXISTS public.{DEFAULT_PARTITION}
    PARTITION OF public.usage_logs DEFAULT;"""
_ENSURE_MONTH = """\
  IF to_regclass('public.{name}') IS NULL THEN
    CREATE TABLE public.{name} (LIKE public.usage_logs INCLUDING ALL);
    WITH late AS (
      DELETE FROM public.{default} WHERE id >= '{low}' AND id < '{high}' RETURNING *
    )
    INSERT INTO public.{name} SELECT * FROM late;
    ALTER TABLE public.usage_logs
      ATTACH PARTITION public.{name} FOR VALUES FROM ('{low}') TO ('{high}');
  END IF;"""


def partition_of(month: int) -> str:
    """Return the name of a month's partition; the month is ``year * 100 + month``."""
    return f"usage_logs_{month}"


def months_around(now_ns: int) -> tuple[int, ...]:
    """Return the months that must have a partition: the last one to three ahead."""
    month = month_of(now_ns)
    months = [_month_before(month), month]
    for _ in range(_MONTHS_AHEAD):
        months.append(next_month(months[-1]))
    return tuple(months)


def ensure_partitions(now_ns: int) -> tuple[str, ...]:
    """Return statements that make the partitions which are missing around an instant.

    They may be run again at any time and by several processes at once.  On a table that
    is not partitioned they do nothing.
    """
    bodies = [_ENSURE_DEFAULT, *map(_ensure_month, months_around(now_ns))]
    return tuple(_ENSURE.format(body=body) for body in bodies)


def _ensure_month(month: int) -> str:
    return _ENSURE_MONTH.format(
        name=partition_of(month),
        default=DEFAULT_PARTITION,
        low=lowest_uuid7(month_start_ns(month)),
        high=lowest_uuid7(month_start_ns(next_month(month))),
    )


def _month_before(month: int) -> int:
    if month % 100 == _FIRST_MONTH_OF_A_YEAR:
        return month - 89
    return month - 1
