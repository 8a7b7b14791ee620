"""Leads: people who asked for a demonstration, and what they want to do.

Owns: demo_leads.   Source: data dictionary 7.1.
"""
