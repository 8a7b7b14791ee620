"""The rented world of REST prices: Gemini, Coinbase and Kraken over httpx.

A body is untrusted: at most 64 KiB of it are read, its price stays the text that the
venue wrote, and whatever is not a price of the asset asked for is an error.
"""

from trinity_beast.adapters.rest_prices.client import LIVE_URLS, HttpRestPrices

__all__ = ["LIVE_URLS", "HttpRestPrices"]
