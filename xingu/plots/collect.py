"""Check what plot methods return, and collect it by plot name.

A plot is a plotly or a matplotlib Figure. Figures are recognized by their methods, so that neither
library is imported here.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from xingu.error_collector import ErrorCollector
from xingu.errors import HookError
from xingu.metrics.collect import checked_mapping
from xingu.records import PlotChannel


class Gallery:
    """The figures of one Model.

    Attributes:
        figures: Plotly or matplotlib Figures by plot name.
        channels: Channel of each figure, by plot name.
        sets: Set that each figure shows, by plot name; None: not one set.
        failures: Errors raised by methods; they do not prevent the plots of other methods.
    """

    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}
        self.channels: dict[str, PlotChannel] = {}
        self.sets: dict[str, str | None] = {}
        self.failures = ErrorCollector()
        self._by_methods: defaultdict[tuple[PlotChannel, str | None], set[str]] = defaultdict(set)

    def add_builtin(
        self, channel: PlotChannel, figures: Mapping[str, Any], set_name: str | None = None
    ) -> None:
        """Add built-in figures of a set, or of the whole Model if `set_name` is None."""
        for name, figure in figures.items():
            self.figures[_of_set(name, set_name)] = figure
            self.channels[_of_set(name, set_name)] = channel
            self.sets[_of_set(name, set_name)] = set_name

    def add(
        self, channel: PlotChannel, result: object, where: str, set_name: str | None = None
    ) -> None:
        """Add the figures of a method; they replace built-in figures of the same name.

        Args:
            channel: Channel of the figures.
            result: Figures by plot name.
            where: Owner, method and set, for errors.
            set_name: The set that is drawn; None for plots of the whole Model.

        Raises:
            HookError: If `result` is not such a mapping, or repeats a name of another method.
        """
        taken = self._by_methods[channel, set_name]
        figures = figures_of(result, taken, where)
        self.add_builtin(channel, figures, set_name)
        taken.update(figures)


def figures_of(result: object, taken: Collection[str], where: str) -> dict[str, Any]:
    """Return the result of a plot method if it is figures by name.

    Args:
        result: The result of the method; None: it has nothing to draw.
        taken: Names that other methods have used.
        where: Owner, method and set, for errors.

    Raises:
        HookError: If `result` is not a mapping of names to figures, or repeats a name.
    """
    figures = dict(checked_mapping({} if result is None else result, where, "figures"))
    for name, figure in figures.items():
        if name in taken:
            raise HookError(f"{where} returned the plot {name!r} a second time; rename it.")
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
