"""Accounts: the people behind keys and payments.

An account is an e-mail address; it comes into being with the first key or payment and
carries the language that the person reads.

Owns: users.   Source: data dictionary 1.3.
"""

from __future__ import annotations

from trinity_beast.features.accounts.errors import InvalidEmail, UserNotFound
from trinity_beast.features.accounts.model import User, normalised_email
from trinity_beast.features.accounts.service import AccountService

__all__ = [
    "AccountService",
    "InvalidEmail",
    "User",
    "UserNotFound",
    "normalised_email",
]
