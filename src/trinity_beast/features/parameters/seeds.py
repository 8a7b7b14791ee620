"""The parameters and profiles that a fresh installation starts with."""

from __future__ import annotations

from collections.abc import Mapping

from trinity_beast.features.parameters.model import Home
from trinity_beast.features.parameters.registry import REGISTRY
from trinity_beast.features.parameters.tables import (
    application_parameter_profiles,
    application_parameters,
    report_parameters,
)
from trinity_beast.toolkit.seeds import Seed

# qps, burst, log level, cache TTL in seconds; all else is as the columns default.
_PROFILES: Mapping[str, tuple[str, int, int, str, int]] = {
    "demo": ("A slow and talkative show for one visitor.", 3, 3, "debug", 30),
    "debug": ("Everything is logged, limits are wide.", 10_000, 10_000, "debug", 9),
    "fresh-price": ("Production: prices are at most 13 s old.", 1000, 1000, "info", 13),
    "stress": ("Load tests: limits out of the way.", 100_000, 100_000, "info", 300),
    "stress-tcp-direct": (
        "Load test over TCP, straight at one node.",
        100_000,
        100_000,
        "info",
        300,
    ),
    "stress-tcp-alb": (
        "Load test over TCP, through the load balancer at all nodes.",
        100_000,
        100_000,
        "info",
        300,
    ),
    "stress-udp-direct": (
        "Load test over UDP, straight at one node.",
        100_000,
        100_000,
        "info",
        300,
    ),
    "stress-udp-nlb": (
        "Load test over UDP, through the load balancer at all nodes.",
        100_000,
        100_000,
        "info",
        300,
    ),
}


def parameter_seeds() -> tuple[Seed, ...]:
    """Return eight profiles and the default of every parameter.

    Source: data dictionary 2.1 for the profiles.
    """
    return (
        Seed(application_parameter_profiles, ("profile_name",), _profiles()),
        Seed(application_parameters, ("key",), _defaults("application")),
        Seed(report_parameters, ("key",), _defaults("report")),
    )


def _profiles() -> tuple[Mapping[str, object], ...]:
    return tuple(
        {
            "profile_name": name,
            "description": description,
            "qps": qps,
            "burst": burst,
            "log_level": log_level,
            "cache_ttl": cache_ttl_s,
        }
        for name, (description, qps, burst, log_level, cache_ttl_s) in _PROFILES.items()
    )


def _defaults(home: Home) -> tuple[Mapping[str, object], ...]:
    return tuple(
        {"key": p.name, "value": p.default} for p in REGISTRY if p.home == home
    )
