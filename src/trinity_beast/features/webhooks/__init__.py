"""Webhooks: prices pushed to those who would rather not ask.

A subscription says where to push, what and how often; nothing is pushed before its
owner has proven to hold the endpoint.  Every attempt is logged.

Owns: webhook_subscriptions, webhook_delivery_log.   Source: data dictionary 10.1, 10.2.
"""
