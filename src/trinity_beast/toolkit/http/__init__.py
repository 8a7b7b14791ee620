"""HTTP manners: what each listener does the same way.

Problems and their codes, request ids, strict reading of requests, limits, health, the
API's description and its pages, and the server itself.
"""
