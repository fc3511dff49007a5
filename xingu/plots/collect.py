"""Check what plot methods return.

Its one idea: a plot is a plotly figure, or a matplotlib one where matplotlib is there; neither
library is needed to tell.
"""

from collections.abc import Collection
from typing import Any

from xingu.errors import HookError
from xingu.metrics.collect import checked_mapping


def figures_of(result: object, taken: Collection[str], where: str) -> dict[str, Any]:
    """Return what a plot method returned as figures by name.

    Args:
        result: Names to figures.
        taken: Names that other methods have given already.
        where: Owner, method and set, for errors.

    Raises:
        HookError: If `result` is something else, or repeats a name.
    """
    figures = dict(checked_mapping(result, where, "figures"))
    for name, figure in figures.items():
        if name in taken:
            raise HookError(f"{where} yields the plot {name!r} a second time; rename it.")
        if not (is_plotly(figure) or is_matplotlib(figure)):
            raise HookError(
                f"{where} returned {type(figure).__name__} as the plot {name!r}; "
                "a plot is a plotly or a matplotlib Figure."
            )
    return figures


def is_plotly(figure: object) -> bool:
    """Return whether `figure` is a plotly Figure or FigureWidget."""
    return hasattr(figure, "to_plotly_json") and hasattr(figure, "layout")


def is_matplotlib(figure: object) -> bool:
    """Return whether `figure` is a matplotlib Figure."""
    return hasattr(figure, "savefig")
