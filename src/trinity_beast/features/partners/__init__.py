"""Partners: companies that ask for a private connection and a free key.

An application is pending until somebody approves or rejects it; an approved one is
onboarded when its key exists.

Owns: partner_applications.   Source: data dictionary 7.3.
"""
