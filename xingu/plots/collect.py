"""Check and collect what plot methods return.

Its one idea: a plot is a plotly figure, or a matplotlib one where matplotlib is there; neither
library is needed to tell.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from xingu.error_collector import ErrorCollector
from xingu.errors import HookError
from xingu.metrics.collect import checked_mapping
from xingu.records import PlotChannel


class Gallery:
    """The figures of one Model by name.

    Attributes:
        figures: Plotly or matplotlib Figures.
        channels: What each of them is about.
        failures: Errors of methods; the others drew all the same.
    """

    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}
        self.channels: dict[str, PlotChannel] = {}
        self.failures = ErrorCollector()
        self._by_methods: defaultdict[tuple[PlotChannel, str | None], set[str]] = defaultdict(set)

    def add_builtin(
        self, channel: PlotChannel, figures: Mapping[str, Any], set_name: str | None = None
    ) -> None:
        """Add figures that nobody wrote a method for, of one set or of none."""
        for name, figure in figures.items():
            self.figures[_of_set(name, set_name)] = figure
            self.channels[_of_set(name, set_name)] = channel

    def add(
        self, channel: PlotChannel, result: object, where: str, set_name: str | None = None
    ) -> None:
        """Add what a method returned; it replaces the built-in figures of the same names.

        Raises:
            HookError: If `result` is something else, or repeats a name of another method.
        """
        taken = self._by_methods[channel, set_name]
        figures = figures_of(result, taken, where)
        self.add_builtin(channel, figures, set_name)
        taken.update(figures)


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


def _of_set(name: str, set_name: str | None) -> str:
    return name if set_name is None else f"{name} ({set_name})"
