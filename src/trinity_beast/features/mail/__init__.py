"""Mail: who it comes from, what it says, in which language.

Templates have named placeholders; translations replace them field by field; drafts are
letters that somebody writes by hand.

Owns: email_drafts, email_senders, email_templates, email_translations.
Source: data dictionary 6.1, 6.2, 6.3, 6.4.
"""
