"""Describe the decisions of a proposal, with their reasons, as sentences."""

from collections.abc import Iterator

from xingu.proposal.columns import Column, unusable_names
from xingu.proposal.look import Sample
from xingu.proposal.propose import Proposal
from xingu.proposal.times import MIN_MOMENTS

RARE = 0.05
"""Share of a class below which it is called rare."""


def decisions_of(proposal: Proposal, found: Sample) -> list[str]:
    """Return what was decided and why, a sentence or two each."""
    return [
        *about_target(proposal),
        *about_rows(proposal, found),
        *_about_columns(proposal),
        *_about_names(found),
    ]


def about_target(proposal: Proposal) -> Iterator[str]:
    """Yield the target, its values, and the rows without it."""
    target = proposal.target
    if proposal.classify:
        shares = target.values.value_counts(normalize=True)
        first = ", ".join(f"{label} {share:.1%}" for label, share in shares.head(4).items())
        more = f" and {len(shares) - 4} more" if len(shares) > 4 else ""
        yield f"Target: {target.name}, one of {len(shares)} classes ({first}{more}); a classifier."
        if target.kind == "number" and len(shares) > 2:
            yield "If these numbers are amounts, make it a LightGBMRegressor."
        if shares.min() < RARE:
            yield (f"The class {shares.idxmin()} is rare ({shares.min():.2%}): accuracy is "
                   "misleading; use average precision and log loss.")  # fmt: skip
    else:
        low, high, mean = (number(getattr(target.values, of)()) for of in ("min", "max", "mean"))
        yield f"Target: {target.name}, a number from {low} to {high}, mean {mean}; a regressor."
    if target.missing:
        share = f"{target.missing / target.rows:.1%}"
        yield f"{target.missing:,} rows without a target are left out ({share})."


def about_rows(proposal: Proposal, found: Sample) -> Iterator[str]:
    """Yield the split, the key, and the rows that were looked at."""
    if proposal.time:
        yield (f"Split by {proposal.time}: the model learns from the past and is tested on the "
               "newest rows, as it will be used.")  # fmt: skip
    elif any(one.kind == "date" for one in proposal.columns):
        yield (f"Split at random: no date has {MIN_MOMENTS} moments, is in every row, and leaves "
               "each set something to learn.")  # fmt: skip
    else:
        yield "Split at random: no column is a date."
    if proposal.key:
        yield f"{proposal.key} identifies the rows, in estimations too: it becomes the index."
    if not found.complete:
        yield f"This was decided on a sample, {found.how}."


def _about_columns(proposal: Proposal) -> Iterator[str]:
    for one in proposal.columns:
        conversion = proposal.conversions.get(one.name)
        if conversion and conversion.kind == "text":
            yield f"{one.name} is an identifier, not an amount: it is read as text."
        elif conversion and one.type_name.endswith("as text"):
            yield f"{one.name} is stored as text: it is read as {conversion.kind}."
        elif conversion and conversion.finite and one is not proposal.target:
            yield f"{one.name} has infinite values: they are missing values to the model."
    for name, parts in proposal.calendar.items():
        yield f"Features from the date {name}: {', '.join(parts)}."
    if proposal.suspects:
        listed = ", ".join(f"{name} {score:.3f}" for name, score in proposal.suspects.items())
        yield (f"Alone, these explain much of the target ({proposal.measure}): {listed}. Take "
               "those out of x_features that are not known before the target.")  # fmt: skip
    for reason, names in proposal.reasons.items():
        yield f"Left out, {reason}: {', '.join(names)}."


def _about_names(found: Sample) -> Iterator[str]:
    names = unusable_names(found.frame)
    if names:
        yield f"Not used, because a name is a text that occurs once: {', '.join(map(repr, names))}."


def number(value: float) -> str:
    """Return a number with three digits at least, without needless zeros."""
    if value != int(value) and abs(value) < 1_000:
        return f"{value:.3g}"
    return f"{value:.0f}" if abs(value) < 10_000 else f"{value:,.0f}"


def values_of(column: Column) -> str:
    """Return the range of numbers and dates, or the most frequent values."""
    known = column.values.dropna()
    if column.kind in ("other", "empty") or known.empty:
        return ""
    if column.kind == "number":
        return f"{number(known.min())} … {number(known.max())}"
    if column.kind == "date":
        style = "%Y-%m-%d %H:%M" if column.times_of_day and column.distinct else "%Y-%m-%d"
        return " … ".join(known.agg([min, max]).dt.strftime(style))
    counts = known.value_counts().head(3)
    return ", ".join(map(str, counts.index))
