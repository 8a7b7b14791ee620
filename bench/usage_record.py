"""What one request pays for its usage record: the id, the record and the buffer.

    .venv/bin/python bench/usage_record.py [--records 500000]

Then, for the shipper, what packing costs a record and how many bytes it takes.
"""

from __future__ import annotations

import argparse
import time

from trinity_beast.adapters.system import SystemClock, SystemRandomness
from trinity_beast.features.usage import UsageBuffer, UsageIds, UsageRecord
from trinity_beast.features.usage.packer import Origin, Packer

KEY = "6f1de0a5-1111-4222-8333-abcdefabcdef"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=500_000)
    count = parser.parse_args().records
    ids, buffer = UsageIds(SystemRandomness()), UsageBuffer(count)
    now_ns = time.time_ns()

    started = time.perf_counter()
    for number in range(count):
        at_ns = now_ns + number * 10_000
        buffer.add(
            UsageRecord(
                ids.next_id(at_ns),
                at_ns,
                KEY,
                KEY,
                "192.0.2.7",
                "price",
                "success",
                None,
                "BTC",
                "121.5800000000",
                "coinbase-ws",
                True,  # noqa: FBT003 - as a listener would write it
                1_250,
            ),
        )
    added_s = time.perf_counter() - started

    packer = Packer(
        Origin("BeastMain", "us-east-2"),
        SystemClock(),
        SystemRandomness(),
        190_000,
    )
    started = time.perf_counter()
    packed_bytes = 0
    while records := buffer.drain(2_000):
        packed_bytes += sum(len(batch.body) for batch in packer.pack(records))
    packed_s = time.perf_counter() - started
    print(f"id, record and buffer: {added_s / count * 1e9:.0f} ns a record")
    print(f"packing: {packed_s / count * 1e9:.0f} ns, {packed_bytes / count:.0f} bytes")


if __name__ == "__main__":
    main()
