"""Call code of users with the arguments that its signature accepts.

A parameter that is called as one of the available arguments receives it by name, so that the order
of a signature does not matter. Other parameters without a default receive the rest, in order.
"""

import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any


class UnfilledParameterError(TypeError):
    """A required parameter for which no argument is left; the text is its name."""


@lru_cache(maxsize=1024)
def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function that is no bound method: those are new objects."""
    return inspect.signature(function)


def bound_arguments(
    method: Callable[..., Any], available: Mapping[str, Any]
) -> inspect.BoundArguments:
    """Return the arguments of a method out of those that are available.

    Args:
        method: A function or bound method.
        available: Arguments by name, in the order in which parameters with other names get them.

    Raises:
        UnfilledParameterError: If the method requires more than is available.
    """
    function = getattr(method, "__func__", method)
    signature = signature_of(function)
    if function is not method:  # without `self`
        parameters = list(signature.parameters.values())
        if parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
            signature = signature.replace(parameters=parameters[1:])
    return _bind(signature, available)


def _bind(signature: inspect.Signature, available: Mapping[str, Any]) -> inspect.BoundArguments:
    parameters = signature.parameters
    left = [name for name in available if name not in parameters]
    bound = inspect.BoundArguments(signature, OrderedDict())
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            bound.arguments[name] = {other: available[other] for other in left}
        elif parameter.kind is parameter.VAR_POSITIONAL:
            # A wrapper with (*args, **kwargs) gets keywords, which do not depend on the order.
            named = any(other.kind is other.VAR_KEYWORD for other in parameters.values())
            bound.arguments[name] = () if named else tuple(available[other] for other in left)
        elif name in available:
            bound.arguments[name] = available[name]
        elif parameter.default is parameter.empty:
            if not left:
                raise UnfilledParameterError(name)
            bound.arguments[name] = available[left.pop(0)]
    return bound
