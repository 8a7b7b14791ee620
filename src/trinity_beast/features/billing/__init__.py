"""Billing: where buyers are sent, and what they paid.

A payment link leads to the checkout of one product; a transaction is one payment, one
donation or one refund.  Until a link carries a real address it stays disabled.

Owns: payment_links, transactions.   Source: data dictionary 3.1, 3.2.
"""
