"""Usage reports: what a key asked for, and how often it may look.

Ten reports a month for the paid-by-call tiers, no cap for the others; the counter rolls
over by itself when a report is asked for in another month.  Every report is logged.

Owns: monthly_report_counts, report_count, report_usage_logs.
Source: data dictionary 4.1, 4.2, 4.3.
"""
