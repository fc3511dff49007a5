"""Evidence for a deploy of a train: verdict, recorded checks, gates, git, approvals.

Functions return refusals: texts that say what is missing. They read, and change nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xingu.checks.gates import OPERATORS, Gate, parse_gates
from xingu.deploy.approvals import approved_by, trainer_of, who_may
from xingu.deploy.route import PROJECT, Route
from xingu.model import Model
from xingu.records import TrainRun
from xingu.registry.ledger import DEPLOYS
from xingu.registry.manifest import Manifest
from xingu.texts import counted
from xingu.tracking.copying import package_digest
from xingu.tracking.query import TrainFilter, check_results, model_metrics


@dataclass(frozen=True, slots=True)
class GateFigure:
    """One quality gate of a train.

    Attributes:
        name: Set and metric.
        value: The metric; None: it is not known here.
        required: Operator and number.
        passed: Whether the train reaches it; None: not known here.
    """

    name: str
    value: float | None
    required: str
    passed: bool | None


def verdict_refusals(route: Route, train: Manifest) -> Iterator[str]:
    """Yield why the ledger of the source does not release a train."""
    models, train_id = route.source.models, train.train_id
    if train.sampled:
        yield f"{train_id} was trained on samples of its sources (SAMPLE_ROWS): train it on all."
        return
    verdict = models.ledger(train.dataprovider_id).verdict(train_id, train.trained)
    if verdict is None:
        yield (
            f"{train_id} waits for its checks: materialize trainset_estimations and "
            "trainset_metrics."
            if route.source_name == PROJECT
            else f"{route.source_name} has never served {train_id}: deploy it there first."
        )
    elif verdict.action == "refuse":
        yield f"{train_id} was refused: {verdict.reason}."
    elif train_id in verdict.rolled_back:
        yield f"{train_id} was rolled back to {verdict.train_id} in {route.source_name}."
    elif route.source_name != PROJECT and verdict.action not in (*DEPLOYS, "train", "pin"):
        yield f"{route.source_name} has never served {train_id}: deploy it there first."


def is_recorded(route: Route, train: Manifest) -> bool:
    """Return whether the control DB of the source has the rows of a train."""
    run = TrainRun(train.dataprovider_id, train.train_id, train.train_session_id, "")
    source = route.source
    return source.has_control and package_digest(source.control, run) is not None


def check_refusals(route: Route, train: Manifest) -> Iterator[str]:
    """Yield the blocking checks that a train has failed, as far as the control DB has them."""
    if not is_recorded(route, train):
        return
    results = check_results(route.source.control, train.dataprovider_id, train.train_id)
    for (asset, name), (passed, severity) in sorted(results.items()):
        if not passed and severity == "error" and not asset.startswith("batch/"):
            yield f"{train.train_id} failed the blocking check {name} of {asset}."


def gate_figures(route: Route, train: Manifest, model: Model) -> list[GateFigure]:
    """Return the quality gates of a train's own class, with the figures of that train.

    Gates that compare with the previous train were judged when it was trained; they are left out.
    """
    known = _metrics(route, train)
    gates = parse_gates(train.dataprovider_id, model.dp.quality_gates, model.dp.metric_directions)
    complete = is_recorded(route, train)
    return [_figure(gate, known, complete) for gate in gates if not gate.relative]


def gate_refusals(figures: list[GateFigure]) -> Iterator[str]:
    """Yield the gates that a train does not reach."""
    for one in figures:
        if one.passed is False:
            value = "was not measured" if one.value is None else f"is {one.value:.4g}"
            yield f"{one.name} {value}; it must be {one.required}."


def git_refusals(route: Route, train: Manifest) -> Iterator[str]:
    """Yield why the code of a train is not known for certain, if the target asks for that."""
    if not route.rules.clean_git:
        return
    if not train.provenance.get("git_commit"):
        yield f"{train.train_id} is tied to no git commit (DEPLOY_REQUIRE_CLEAN_GIT)."
    elif train.provenance.get("git_dirty"):
        yield (
            f"{train.train_id} was trained with changes that were not committed "
            "(DEPLOY_REQUIRE_CLEAN_GIT): commit them, and train again."
        )


def approval_refusals(route: Route, train: Manifest, package: str) -> Iterator[str]:
    """Yield what is missing of the approvals."""
    needed = route.rules.approvals
    given = approved_by(route, train, package) if needed else ()
    if len(given) >= needed:
        return
    trainer = trainer_of(train)
    people = f" by people other than {trainer}, who trained it" if trainer else ""
    so_far = f"; approved by {', '.join(given)}" if given else ""
    dp_id, train_id = train.dataprovider_id, train.train_id
    yield (
        f"{route.name} needs {counted(needed, 'approval')}{people}{so_far}. Who may approve: "
        f"{who_may(route, train)}. `xingu approve {dp_id} {train_id} --target {route.name}` does."
    )


def _metrics(route: Route, train: Manifest) -> Mapping[tuple[str, str], float]:
    if not is_recorded(route, train):
        return {
            (set_name, metric): value
            for set_name, values in train.scores.items()
            for metric, value in values.items()
        }
    this = TrainFilter([train.train_id], [train.dataprovider_id])
    found = model_metrics(route.source.control, this)
    keys = zip(found["set"], found["name"], strict=True)
    values = dict(zip(keys, found["value_number"], strict=True))
    return {key: float(value) for key, value in values.items() if value == value}


def _figure(gate: Gate, known: Mapping[tuple[str, str], float], complete: bool) -> GateFigure:
    value = known.get((gate.set, gate.metric))
    passed: bool | None = False if complete else None
    if value is not None:
        passed = OPERATORS[gate.operator](value, gate.value)
    required = f"{gate.operator} {gate.value:g}"
    return GateFigure(f"{gate.set} {gate.metric}", value, required, passed)
