"""Support: tickets and their replies.

A ticket has a number that cannot be guessed, a status and a language; replies come from
the customer or from an admin.

Owns: support_replies, support_tickets.   Source: data dictionary 7.4, 7.5.
"""
