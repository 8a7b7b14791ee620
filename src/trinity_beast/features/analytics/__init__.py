"""Analytics of the site: which pages were read, and what was clicked there.

Owns: page_events, page_views.   Source: data dictionary 9.1, 9.2.
"""
