"""Parameters: what operators change while the system runs.

The tables hold text; one registry says what each name means, its unit, its range and
its default.  A text that cannot be used changes nothing: the last good value stays, and
the bad one is listed as refused.  A name without a row has its default.

Owns: application_parameters, application_parameter_profiles, report_parameters.
Source: data dictionary 2.1, 2.2, 2.3.
"""

from trinity_beast.features.parameters.errors import ParameterRefused
from trinity_beast.features.parameters.live import Parameters
from trinity_beast.features.parameters.model import Parameter, Value, parse, text_of
from trinity_beast.features.parameters.registry import REGISTRY
from trinity_beast.features.parameters.seeds import parameter_seeds
from trinity_beast.features.parameters.service import ParameterService

__all__ = [
    "REGISTRY",
    "Parameter",
    "ParameterRefused",
    "ParameterService",
    "Parameters",
    "Value",
    "parameter_seeds",
    "parse",
    "text_of",
]
