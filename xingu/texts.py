"""Numbers and counts as texts, as tables, reports and notebooks show them."""

import math
import re


def counted(count: int, name: str) -> str:
    """Return a count with its noun: ``1 train``, ``1,234 trains``, ``2 queries``."""
    plural = re.sub("(?<![aeiou])y$", "ie", name) + "s"
    return f"{count:,} {name if count == 1 else plural}"


def is_count(metric: str) -> bool:
    """Return whether a built-in metric is a number of rows, or their weight."""
    return metric.split(" ")[0] in ("Rows", "Support")


def number(value: float, digits: int = 5, *, whole: bool = False) -> str:
    """Return a number with `digits` significant digits: ``0.012346``, ``1,234.6``, ``inf``.

    Args:
        value: The number.
        digits: Number of significant digits.
        whole: If it is a whole number, show no decimals, and all digits.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{value:g}"
    if whole and float(value).is_integer():
        return f"{value:,.0f}"
    if value == 0 or not 1e-3 <= abs(value) < 1e9:
        return f"{value:.3g}"
    before = math.floor(math.log10(abs(value))) + 1
    return f"{value:,.{max(digits - max(before, 0), 0) + (before < 0)}f}"
