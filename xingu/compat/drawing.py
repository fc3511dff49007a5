"""Methods of Xingu 2.0 that draw the plots of a Model."""

from collections.abc import Callable, Iterator
from typing import Any

from xingu.compat.measuring import Measuring, channel_of
from xingu.provider.methods import find_methods


class Drawing(Measuring):
    """Plots of the sets, of a batch and of the whole Model."""

    def get_plot_renderers(self, type: str = "global_model") -> list[Callable[..., Any]]:  # noqa: A002
        """Return the plot methods of this Model's class, for example of ``global_model``."""
        return list(find_methods(self, f"render_{type}_plots").values())

    def render_trainsets_model_plots(self) -> dict[str, dict[str, Any]] | None:
        """Return the figures of each of `sets`, by set and name; None if there are none."""
        figures: dict[str, dict[str, Any]] = {}
        for set_name, name, figure in self._drawn_sets():
            if set_name is not None:
                figures.setdefault(set_name, {})[name] = figure
        return figures or None

    def render_global_model_plots(self) -> dict[str, Any] | None:
        """Return the figures of the whole Model by name; None if there are none."""
        found = {name: figure for one, name, figure in self._drawn_sets() if one is None}
        return found or None

    def render_batch_model_plots(self) -> dict[str, Any] | None:
        """Return the figures of the last batch by name; None if there are none."""
        from xingu.stages.batch import predicted
        from xingu.stages.draw import draw_batch

        batch, estimations = self._estimated_batch()
        gallery = draw_batch(self, batch, predicted(self, estimations))
        gallery.failures.raise_collected()
        return dict(gallery.figures) or None

    def render_model_plots(self, channel: str = "trainsets") -> dict[str, dict[str, Any]] | None:
        """Return the figures of a channel by set, ``global`` or ``batch``, and by name."""
        if channel_of(channel) == "batch_predict":
            figures = self.render_batch_model_plots()
            return {"batch": figures} if figures else None
        figures = self.render_trainsets_model_plots() or {}
        whole = self.render_global_model_plots()
        return {**figures, **({"global": whole} if whole else {})} or None

    def render_global_model_plots_ROCAUC(self) -> dict[str, Any] | None:  # noqa: N802
        """Return the ROC curve of each set, by name; None for a Model that estimates numbers."""
        if not self.is_classifier():
            return None
        figures = self.render_trainsets_model_plots() or {}
        return {
            f"ROC ({set_name})": figure
            for set_name, of_set in figures.items()
            for name, figure in of_set.items()
            if name.startswith("ROC")
        } or None

    def render_global_model_plots_feature_importance_from_estimator(self) -> dict[str, Any] | None:
        """Return the plot of the importance of features; None if the estimator has none."""
        figures = self.render_global_model_plots() or {}
        name = "Feature importance"
        return {name: figures[name]} if name in figures else None

    def tag_model_plot(
        self,
        ax: Any,
        template: str | None = None,
        loc: str = "lower left",
        alpha: float = 0.4,
        size: float = 10,
    ) -> Any:
        """Write the ids of the train into matplotlib axes, and return them.

        Args:
            ax: The axes.
            template: Text with ``{dp}``, ``{complete_train_id}`` and ``{trained}``; None: all of
                them.
            loc: Place of the text, such as ``upper right`` or ``center``.
            alpha: Opacity of the background, in [0, 1].
            size: Size of the text, in points.
        """
        text = template or "DataProvider: {dp}\nTrain: {complete_train_id}\nTrained: {trained}"
        trained = f"{self.trained:%Y-%m-%d %H:%M:%S %Z}" if self.trained else "(untrained)"
        filled = text.format(
            dp=self.id, complete_train_id=self.get_full_train_id(), trained=trained
        )
        # Only what `ax` has is used: matplotlib is no dependency.
        words, margin = loc.split(), 0.02
        across = next((one for one in ("left", "right") if one in words), "center")
        upright = next((one for one in ("upper", "lower") if one in words), "center")
        ax.text(
            {"left": margin, "right": 1 - margin, "center": 0.5}[across],
            {"lower": margin, "upper": 1 - margin, "center": 0.5}[upright],
            filled,
            transform=ax.transAxes,
            ha=across,
            va={"lower": "bottom", "upper": "top", "center": "center"}[upright],
            fontsize=size,
            bbox={"facecolor": "white", "alpha": alpha},
        )
        return ax

    def _drawn_sets(self) -> Iterator[tuple[str | None, str, Any]]:
        """Yield set (None: the whole Model), name and figure of each plot."""
        from xingu.stages.draw import draw_sets

        self._require_estimated_sets()
        gallery = draw_sets(self)
        gallery.failures.raise_collected()
        for name, figure in gallery.figures.items():
            yield gallery.sets[name], name, figure
