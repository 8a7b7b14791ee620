"""What the assets of the catalogue cost and how lively they are, about 2026.

Round figures, good enough to look right in a demo; nothing else reads them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from trinity_beast.adapters.market.dice import dice

MAJORS = ("BTC", "ETH", "SOL", "XRP", "DOGE")
"""Every venue trades these, whatever the catalogue says."""


class Level(NamedTuple):
    """Where an asset's price starts.

    Attributes:
        usd: Price in US dollars.
        volatility: Standard deviation of a year's logarithmic return.
        trades_per_s: Trades a second on a venue of usual activity.
    """

    usd: float
    volatility: float
    trades_per_s: float


def level_of(asset: str) -> Level:
    """Return the level of an asset; for an unknown one a made-up, lasting one."""
    if asset in LEVELS:
        return LEVELS[asset]
    chance = dice(0, "level", asset)
    return Level(math.exp(chance.uniform(-5.0, 3.0)), 1.0, 0.4)


LEVELS = {
    # Coinbase's share of the catalogue.
    "BTC": Level(65000.0, 0.45, 6.0),
    "ETH": Level(1920.0, 0.6, 5.0),
    "SOL": Level(77.0, 0.75, 3.5),
    "XRP": Level(1.04, 0.7, 2.5),
    "ADA": Level(0.198, 0.75, 1.0),
    "XLM": Level(0.163, 0.75, 0.8),
    "LTC": Level(46.0, 0.65, 0.8),
    "ZEC": Level(518.0, 1.0, 1.2),
    "AERO": Level(0.42, 1.0, 0.5),
    "ONDO": Level(0.355, 0.9, 0.6),
    "MORPHO": Level(1.94, 0.9, 0.3),
    "SYRUP": Level(0.151, 1.0, 0.3),
    "STRK": Level(0.0249, 1.0, 0.3),
    "TAO": Level(204.0, 0.95, 0.8),
    "VVV": Level(11.8, 1.2, 0.3),
    "AGLD": Level(0.166, 1.1, 0.25),
    "TOSHI": Level(0.000106, 1.4, 0.3),
    "TROLL": Level(0.0407, 1.6, 0.3),
    "TURBO": Level(0.000876, 1.4, 0.3),
    "HBAR": Level(0.0695, 0.8, 0.8),
    "ICP": Level(2.2, 0.85, 0.6),
    "NEAR": Level(1.62, 0.85, 0.8),
    "SUI": Level(0.7, 0.9, 1.5),
    "ALGO": Level(0.0844, 0.8, 0.5),
    "SEI": Level(0.042, 0.95, 0.6),
    # Gemini's.
    "BCH": Level(216.0, 0.7, 1.0),
    "DOGE": Level(0.0706, 0.85, 2.5),
    "SHIB": Level(4.7e-6, 0.95, 1.2),
    "PEPE": Level(2.9e-6, 1.2, 1.5),
    "WIF": Level(0.146, 1.4, 0.8),
    "POPCAT": Level(0.0458, 1.4, 0.4),
    "AVAX": Level(6.5, 0.85, 1.2),
    "DOT": Level(0.81, 0.8, 1.0),
    "LINK": Level(8.3, 0.8, 1.5),
    "FIL": Level(0.715, 0.85, 0.8),
    "QNT": Level(58.6, 0.7, 0.4),
    "AMP": Level(0.00039, 0.9, 0.3),
    "XTZ": Level(0.205, 0.8, 0.4),
    "UNI": Level(4.05, 0.9, 1.0),
    "YFI": Level(2070.0, 0.8, 0.3),
    "SKY": Level(0.0536, 0.8, 0.4),
    "UMA": Level(0.341, 0.95, 0.3),
    "OP": Level(0.09, 0.95, 0.8),
    "POL": Level(0.078, 0.85, 0.8),
    "SKL": Level(0.0037, 1.0, 0.3),
    "GRT": Level(0.0148, 0.9, 0.5),
    "ALI": Level(0.0021, 1.0, 0.25),
    "MANA": Level(0.067, 0.9, 0.4),
    "SAND": Level(0.042, 0.9, 0.5),
    "CUBE": Level(0.118, 1.0, 0.25),
    # Kraken's.
    "DASH": Level(31.4, 1.0, 0.8),
    "ATOM": Level(1.39, 0.8, 1.0),
    "APT": Level(0.6, 0.9, 1.0),
    "AR": Level(0.79, 0.95, 0.5),
    "EIGEN": Level(0.18, 1.1, 0.6),
    "INJ": Level(4.44, 0.95, 0.9),
    "KSM": Level(3.08, 0.85, 0.3),
    "AAVE": Level(91.7, 0.85, 1.5),
    "COMP": Level(16.6, 0.85, 0.5),
    "CRV": Level(0.24, 0.95, 0.9),
    "DYDX": Level(0.088, 0.95, 0.5),
    "GNO": Level(105.0, 0.65, 0.25),
    "JUP": Level(0.145, 1.0, 0.8),
    "ARB": Level(0.08, 0.95, 1.2),
    "IMX": Level(0.1125, 0.95, 0.5),
    "FET": Level(0.138, 1.0, 1.2),
    "AKT": Level(0.504, 1.0, 0.4),
    "AXS": Level(0.906, 0.95, 0.5),
    "APE": Level(0.133, 1.0, 0.6),
    "BLUR": Level(0.014, 1.1, 0.4),
    "ENJ": Level(0.0178, 0.95, 0.4),
    "CHZ": Level(0.0132, 0.9, 0.6),
    "BONK": Level(2.5e-6, 1.2, 1.5),
    "FLOKI": Level(2.14e-5, 1.2, 0.9),
    "FARTCOIN": Level(0.134, 1.6, 1.2),
    # Gate.io's.
    "BNB": Level(608.0, 0.5, 3.0),
    "ETC": Level(6.5, 0.75, 1.0),
    "HYPE": Level(54.5, 0.9, 2.5),
    "SNX": Level(0.212, 1.0, 0.6),
    "1INCH": Level(0.085, 0.9, 0.5),
    "RAY": Level(0.645, 1.0, 0.6),
    "ZRX": Level(0.0824, 0.9, 0.4),
    "KNC": Level(0.1065, 0.9, 0.3),
    "MNT": Level(0.62, 0.8, 1.0),
    "METIS": Level(2.55, 1.0, 0.4),
    "BOBA": Level(0.0195, 1.0, 0.3),
    "TAIKO": Level(0.072, 1.1, 0.4),
    "WLD": Level(0.318, 1.1, 1.5),
    "PHA": Level(0.0215, 1.1, 0.4),
    "CGPT": Level(0.0158, 1.2, 0.3),
    "GALA": Level(0.0032, 1.0, 1.0),
    "ALICE": Level(0.122, 1.0, 0.4),
    "TLM": Level(0.0014, 1.0, 0.4),
    "PIXEL": Level(0.0068, 1.2, 0.4),
    "MOODENG": Level(0.0416, 1.6, 0.7),
    "BABYDOGE": Level(4.2e-10, 1.3, 0.6),
    "CFX": Level(0.0475, 1.0, 0.8),
    "MINA": Level(0.0414, 0.95, 0.6),
    "SSV": Level(2.1, 1.0, 0.4),
    "IOTX": Level(0.0067, 1.0, 0.4),
    # Bybit's.
    "TRX": Level(0.311, 0.4, 2.5),
    "PENDLE": Level(1.38, 1.0, 1.2),
    "LDO": Level(0.288, 0.95, 1.0),
    "ETHFI": Level(0.389, 1.1, 1.0),
    "SUSHI": Level(0.175, 0.95, 0.6),
    "CAKE": Level(1.45, 0.8, 0.8),
    "ZK": Level(0.0185, 1.1, 0.9),
    "SCR": Level(0.0512, 1.2, 0.3),
    "MANTA": Level(0.0668, 1.1, 0.5),
    "LINEA": Level(0.0034, 1.3, 0.6),
    "BLAST": Level(0.00025, 1.2, 0.5),
    "VIRTUAL": Level(0.5616, 1.3, 1.2),
    "AIXBT": Level(0.0262, 1.5, 0.7),
    "IO": Level(0.129, 1.2, 0.5),
    "GMT": Level(0.0138, 1.0, 0.5),
    "MAGIC": Level(0.0512, 1.2, 0.5),
    "CATI": Level(0.0465, 1.3, 0.4),
    "XAI": Level(0.0119, 1.2, 0.4),
    "BRETT": Level(0.0081, 1.4, 0.5),
    "BOME": Level(0.00052, 1.4, 0.7),
    "MOG": Level(1.1e-7, 1.5, 0.5),
    "PNUT": Level(0.0433, 1.5, 1.0),
    "KAS": Level(0.03, 0.95, 1.2),
    "VET": Level(0.0072, 0.8, 0.8),
    "EGLD": Level(4.6, 0.85, 0.5),
    # OKX's.
    "OKB": Level(88.0, 0.8, 1.2),
    "NEO": Level(2.9, 0.8, 0.8),
    "RPL": Level(1.55, 0.95, 0.3),
    "LQTY": Level(0.195, 1.0, 0.4),
    "BNT": Level(0.273, 0.8, 0.3),
    "RSR": Level(0.00125, 1.0, 0.4),
    "CELO": Level(0.0865, 0.95, 0.6),
    "LRC": Level(0.0312, 0.95, 0.5),
    "RENDER": Level(1.33, 1.0, 1.2),
    "ARKM": Level(0.098, 1.2, 0.7),
    "GRASS": Level(0.21, 1.3, 0.6),
    "KAITO": Level(0.34, 1.3, 0.8),
    "NMR": Level(8.55, 0.95, 0.4),
    "YGG": Level(0.0405, 1.1, 0.5),
    "ILV": Level(3.9, 1.0, 0.3),
    "BIGTIME": Level(0.0147, 1.2, 0.4),
    "TRUMP": Level(2.95, 1.2, 2.0),
    "MEW": Level(0.00062, 1.4, 0.6),
    "NEIRO": Level(7.2e-5, 1.5, 0.8),
    "PEOPLE": Level(0.0061, 1.2, 0.9),
    "THETA": Level(0.196, 0.9, 0.6),
    "STX": Level(0.212, 0.95, 0.8),
    "PYTH": Level(0.0416, 1.0, 0.8),
    "TIA": Level(0.328, 1.1, 1.2),
    "ZRO": Level(0.86, 1.1, 0.8),
}
"""Levels by asset."""
