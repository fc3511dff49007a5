"""Write the DataProvider of a proposal as Python code, formatted as ruff does."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from xingu.proposal.columns import Conversion
from xingu.proposal.decisions import about_rows, about_target
from xingu.proposal.look import Origin, Sample
from xingu.proposal.propose import Proposal
from xingu.proposal.times import ATTRIBUTES, part_name

WIDTH, MAX_NAME = 100, 50
SMALL = 1_000
"""Rows below which the model is given smaller trees, of smaller leaves."""

_SPLIT = '''
def data_split_for_train(self, data):
    """Train on the past and test on the newest rows, as the model will be used."""
    time = data[{time}]
    shares = [1 - self.test_size - self.val_size, 1 - self.test_size]
    val_from, test_from = time.quantile(shares, interpolation="nearest")
    return {{
        "train": data[time < val_from],
        "val": data[(time >= val_from) & (time < test_from)],
        "test": data[time >= test_from],
    }}
'''
_CALENDAR = '''
def feature_engineering_for_train(self, data):
    """Add parts of dates as features."""
    return self.with_calendar(data)

def feature_engineering_for_batch_predict(self, data):
    """Add parts of dates as features."""
    return self.with_calendar(data)

def pre_process_for_generic_predict(self, X, model):
    """Add parts of dates for callers that give `x_features` alone."""
    return X if {first} in X else self.with_calendar(X)

def with_calendar(self, data):
    """Return `data` with parts of its dates as columns."""
    data = data.copy()
{lines}
    return data
'''


def code_of(proposal: Proposal, found: Sample, origin: Origin, dp_id: str) -> str:
    """Return the file of a DataProvider that trains as it is.

    Args:
        proposal: What it uses.
        found: The rows that were looked at.
        origin: Where the data comes from.
        dp_id: Id of the DataProvider, a Python name.
    """
    blocks = [_declarations(proposal, found, origin, dp_id), *_cleaning(proposal, found, origin)]
    if proposal.calendar:
        blocks.append(_calendar(proposal))
    if proposal.time:
        blocks.append(_SPLIT.format(time=text(proposal.time)).strip())
    body = textwrap.indent("\n\n".join(blocks), "    ")
    pandas = "import pandas as pd\n" if "pd." in body else ""
    name = "".join(part[:1].upper() + part[1:] for part in dp_id.split("_"))
    return (
        f'"""A model of {_name_of(proposal)}, proposed by `xingu new`."""\n\n'
        f"{pandas}from xingu import DataProvider\n\n\n"
        f"class {name or 'Model'}(DataProvider):\n{body}\n"
    )


def _name_of(proposal: Proposal) -> str:
    """Return the name of the target, short enough for the first line of a docstring."""
    name = plain(proposal.target.name)
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"


def _declarations(proposal: Proposal, found: Sample, origin: Origin, dp_id: str) -> str:
    target, rows = proposal.target, proposal.target.known
    small = rows < SMALL
    fixed = {"n_estimators": 500, "early_stopping_rounds": 30}
    tuned = {"learning_rate": 0.05, "num_leaves": 15 if small else 31,
             "min_child_samples": max(2, rows // 50) if small else 20}  # fmt: skip
    kind = "Classifier" if proposal.classify else "Regressor"
    lines = [
        *_docstring(proposal, found, origin),
        "",
        f"id = {text(dp_id)}",
        *_source(origin),
        "",
        *_comments(proposal),
        *_features(proposal),
        f"y = {text(target.name)}",
        "",
        f'estimator_class = "xingu.estimators.LightGBM{kind}"',
        f"estimator_params = {_dict(fixed)}",
        f"estimator_hyperparams = {_dict(tuned)}",
        "# Where a search looks for better ones, with HYPEROPT_STRATEGY=self.",
        "estimator_hyperparams_search_space = {",
        '    "learning_rate": ("loguniform", {"low": 0.01, "high": 0.3}),',
        '    "num_leaves": ("int", {"low": 4, "high": 127}),',
        f'    "min_child_samples": ("int", {{"low": 2, "high": {max(20, min(100, rows // 10))}}}),',
        "}",
    ]
    return "\n".join(lines)


def _docstring(proposal: Proposal, found: Sample, origin: Origin) -> list[str]:
    about = " ".join([*about_target(proposal), *about_rows(proposal, found)])
    source = f"Data: {origin.description}."
    return [
        f'"""Estimates {_name_of(proposal)}.',
        "",
        *textwrap.wrap(f"{plain(source)} {plain(about)}", WIDTH - 6, break_on_hyphens=False),
        '"""',
    ]


def _source(origin: Origin) -> list[str]:
    entry = origin.entry
    name = text(origin.name)
    if "url" in entry:
        line = f'train_dataset_sources = {{{name}: {{"url": {text(entry["url"])}}}}}'
        if len(line) + 4 <= WIDTH:
            return [line]
        return ["train_dataset_sources = {", f'    {name}: {{"url": {text(entry["url"])}}},', "}"]
    return [
        "train_dataset_sources = {",
        f"    {name}: {{",
        f'        "source": {text(entry["source"])},',
        f'        "query": {_query(entry["query"])},',
        "    },",
        "}",
    ]


def _query(sql: str) -> str:
    """Return SQL as a Python string, on lines of its own if that does not change it."""
    quoted_newline = any(line.count("'") % 2 for line in sql.splitlines())
    broken = any(not line.isprintable() for line in sql.replace("\t", "").splitlines())
    if "\\" in sql or '"""' in sql or quoted_newline or broken:
        return text(sql)
    inner = textwrap.indent(sql.strip(), " " * 12)
    return f'"""\n{inner}\n        """'


def _comments(proposal: Proposal) -> list[str]:
    """Return comments on columns that are no features, and on suspicious ones."""
    lines = []
    for reason, names in proposal.reasons.items():
        lines += _comment(f"Left out, {reason}: {', '.join(names)}.")
    if proposal.suspects:
        listed = ", ".join(f"{name} {score:.3f}" for name, score in proposal.suspects.items())
        lines += _comment(
            f"Alone they explain much of the target ({proposal.measure}): are they known before "
            f"it? {listed}."
        )
    return lines


def _comment(content: str) -> list[str]:
    return textwrap.wrap(plain(content), WIDTH - 4, initial_indent="# ", subsequent_indent="#   ")


def _cleaning(proposal: Proposal, found: Sample, origin: Origin) -> list[str]:
    """Return the hooks that clean; rows to estimate have no target, and may have no time."""
    target = proposal.target
    shared = {*proposal.features, *proposal.calendar}
    everywhere = _conversions(proposal, [one for one in proposal.conversions if one in shared])
    training = _conversions(proposal, [one for one in proposal.conversions if one not in shared])
    source = rows = f"datasets[{text(origin.name)}]"
    if proposal.key:
        rows += f".set_index({text(proposal.key)})"
    elif proposal.fresh_index:
        rows += ".reset_index(drop=True)"
    with_target = ""
    if target.missing or not found.complete or "query" in origin.entry:
        with_target = ".dropna(subset=[self.y])"
    shaped = bool(everywhere) or rows != source
    if everywhere and rows == source:
        rows += ".copy()"
    if not training and not with_target:
        return [_hook("clean_data_for_train", _SHAPE, rows, everywhere)] if shaped else []
    start = "self.clean(datasets)" if shaped else source
    copied = f"{source}.copy()" if training and not shaped else start
    return [
        _hook("clean_data_for_train", _LEARN, copied, training, with_target),
        _hook("clean_data_for_batch_predict", _ESTIMATE, start),
        *([_hook("clean", _SHAPE, rows, everywhere)] if shaped else []),
    ]


_SHAPE = "Return the rows, each with a name of its own, with columns of the right types."
_LEARN = "Return the rows to learn from: those with a target."
_ESTIMATE = "Return the rows to estimate, which need no target."


def _hook(name: str, about: str, start: str, steps: Sequence[str] = (), ending: str = "") -> str:
    """Return a method that begins with the frame `start` and changes it in steps."""
    lines = [f"data = {start}", *steps, f"return data{ending}"]
    body = textwrap.indent("\n".join(lines if steps else [f"return {start}{ending}"]), "    ")
    return f'def {name}(self, datasets):\n    """{about}"""\n{body}'


def _conversions(proposal: Proposal, names: Sequence[str]) -> list[str]:
    return [
        f"data[{text(name)}] = {step}"
        for name in names
        for step in _steps(f"data[{text(name)}]", proposal.conversions[name])
    ]


def _steps(column: str, how: Conversion) -> Iterator[str]:
    """Yield the values that are assigned to a column, one after the other."""
    if how.kind == "text":
        yield f'{column}.astype("string")'
    elif how.kind == "date":
        format_ = f", format={text(how.format)}" if how.format else ""
        utc = ", utc=True" if how.utc else ""
        yield f'pd.to_datetime({column}{format_}, errors="coerce"{utc})'
    else:
        if how.commas:
            yield f'{column}.astype("string").str.replace(",", "")'
        yield f'pd.to_numeric({column}, errors="coerce")'
        if how.finite:
            yield f'{column}.replace([float("inf"), -float("inf")], float("nan"))'


def _calendar(proposal: Proposal) -> str:
    features, lines = [], []
    for name, parts in proposal.calendar.items():
        dates = f"pd.to_datetime(data[{text(name)}])"
        for part in parts:
            features.append(text(part_name(name, part)))
            value = f"{dates}.dt.{ATTRIBUTES.get(part, part)}"
            lines.append(f"    data[{features[-1]}] = {value}")
    return _CALENDAR.format(first=features[0], lines="\n".join(lines)).strip()


def _features(proposal: Proposal) -> list[str]:
    dates = proposal.calendar
    parts = [part_name(name, part) for name in dates for part in dates[name]]
    if not dates:
        return _list("x_features", proposal.features)
    if not proposal.features:
        return [*_list("x_features", list(dates)), *_list("x_estimator_features", parts)]
    return [
        *_list("plain_features", proposal.features),
        *_list("x_features", list(dates), "*plain_features, "),
        *_list("x_estimator_features", parts, "*plain_features, "),
    ]


def _list(name: str, values: Sequence[str], first: str = "") -> list[str]:
    line = f"{name} = [{first}{', '.join(map(text, values))}]"
    if len(line) + 4 <= WIDTH:
        return [line]
    items = [*([first.strip(", ")] if first else []), *map(text, values)]
    return [f"{name} = [", *(f"    {item}," for item in items), "]"]


def _dict(values: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{text(name)}: {value!r}" for name, value in values.items()) + "}"


def text(value: str) -> str:
    """Return a Python string, in double quotes if it contains none."""
    quoted = repr(value)
    return quoted if "'" in value or '"' in value else f'"{quoted[1:-1]}"'


def plain(value: str) -> str:
    """Return a text that cannot end a docstring or comment, or contain an escape."""
    return "".join(one if one.isprintable() and one not in '\\"' else "?" for one in value)
