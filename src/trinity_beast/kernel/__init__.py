"""What everything stands on: errors, ids, time and price text; stdlib only, no I/O."""
