"""The Trinity Beast: live crypto prices, metered, reported and pushed."""

__version__ = "0.1.0"
