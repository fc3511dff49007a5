"""Plots of estimations, features and searches, and their files."""

from xingu.extras import needs

needs("plots", "plotly")

from xingu.plots.builtin import classification_plots, regression_plots
from xingu.plots.classification import calibration_curve, precision_recall_curve, roc_curve
from xingu.plots.collect import figures_of
from xingu.plots.files import PlotFile, PlotFolder, load_plot, save_plots
from xingu.plots.importance import importance
from xingu.plots.index import single_page
from xingu.plots.regression import predicted_against_true, residuals
from xingu.plots.theme import stamp

__all__ = [
    "PlotFile",
    "PlotFolder",
    "calibration_curve",
    "classification_plots",
    "figures_of",
    "importance",
    "load_plot",
    "precision_recall_curve",
    "predicted_against_true",
    "regression_plots",
    "residuals",
    "roc_curve",
    "save_plots",
    "single_page",
    "stamp",
]
