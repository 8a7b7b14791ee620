"""Newsletters: written once, translated, sent to those who subscribed.

A subscriber gets the own language; a translation made by a machine waits for a review.

Owns: newsletter_subscribers, newsletter_templates, newsletter_translations,
newsletters.
Source: data dictionary 6.5, 6.6, 6.7, 6.8.
"""
