"""The schedule: what jobs ran, and the proof that monthly counters were reset.

Owns: cron_execution_logs, cron_reset_logs, cron_reset_summary.
Source: data dictionary 8.1, 8.2, 8.3.
"""
