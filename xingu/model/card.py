"""Text and notebook card of a Model. Nothing is read: only what is in memory."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from xingu import cards
from xingu.model.parts import Signature
from xingu.model.provenance import Provenance
from xingu.provider.estimator import Estimator
from xingu.records import TrainRun
from xingu.texts import counted, number

ORIGINS = {"dp": "as declared", "defaults": "defaults of the Estimator", "self": "searched"}
"""Descriptions of `Model.hyperparams_origin`; others are trains."""


class ShownModel:
    """The representations of a Model."""

    run: TrainRun
    trained: datetime | Literal[False]
    estimator: Estimator | None
    provenance: Provenance
    fitted_signature: Signature
    scores: Mapping[str, Mapping[str, float]]
    hyperparams_origin: str
    pre_req_trains: Any

    def __repr__(self) -> str:
        trained = f"trained {cards.minute(self.trained)}" if self.trained else "not trained"
        parts = [self.run.dataprovider_id + " " + self.run.full_train_id, trained]
        return f"<Model {', '.join(filter(None, [*parts, main_score(self.scores)]))}>"

    def _repr_html_(self) -> str:
        """Return a card for notebooks."""
        note = "" if self.trained else "not trained"
        return cards.card("Model", self.run.dataprovider_id, note, self._card_parts())

    def _card_parts(self) -> Iterator[str]:
        signature, provenance, estimator = self.fitted_signature, self.provenance, self.estimator
        commit = (provenance.git_commit or "")[:8]
        changed = " with uncommitted changes" if provenance.git_dirty else ""
        yield cards.facts(
            {
                "train": self.run.train_id,
                "session": self.run.train_session_id,
                "trained": cards.minute(self.trained) if self.trained else None,
                "by": provenance.user_name,
                "commit": commit and f"{commit} ({provenance.git_branch or 'no branch'}){changed}",
                "estimator": estimator and _algorithm(estimator, provenance.libraries),
                "target": signature.target,
                "classes": ", ".join(map(str, signature.classes)),
                "prerequisites": ", ".join(f"{i} {t}" for i, t in self.pre_req_trains.items()),
            }
        )
        yield _sets(signature.set_rows, self.scores)
        features = _features(signature)
        title = counted(len(features), "feature")
        yield cards.folded(title, cards.table(["feature", "type", "used by"], features))
        if estimator is not None:
            used = {**estimator.params, **estimator.hyperparams}
            origin = ORIGINS.get(self.hyperparams_origin, f"those of {self.hyperparams_origin}")
            title = f"{counted(len(used), 'parameter')}; hyperparameters: {origin}"
            yield cards.folded(title, cards.facts(used))
        yield cards.folded("Libraries", cards.facts(provenance.libraries))


def main_score(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Return the first metric of the first set as text; empty without one."""
    for set_name, values in scores.items():
        for name, value in values.items():
            return f"{set_name} {name} {number(value, 4)}"
    return ""


def _sets(rows: Mapping[str, int], scores: Mapping[str, Mapping[str, float]]) -> str:
    metrics = list(dict.fromkeys(name for values in scores.values() for name in values))
    names = dict.fromkeys([*rows, *scores])
    lines = [
        [
            name,
            f"{rows[name]:,}" if name in rows else "",
            *(
                number(scores[name][one], 4) if one in scores.get(name, {}) else ""
                for one in metrics
            ),
        ]
        for name in names
    ]
    return cards.table(["set", "rows", *metrics], lines, 1 + len(metrics))


def _features(signature: Signature) -> list[list[str]]:
    """Return name, type and user of each feature; types are known of those of callers."""
    of_estimator = set(signature.estimator_features)
    given = [
        [name, dtype, "estimator" if name in of_estimator else "hooks"]
        for name, dtype in signature.features.items()
    ]
    made = [name for name in signature.estimator_features if name not in signature.features]
    return given + [[name, "made by hooks", "estimator"] for name in made]


def _algorithm(estimator: Estimator, libraries: Mapping[str, str]) -> str:
    """Return the algorithm with the version of its library, where its module tells which it is."""
    modules = {cls.__module__.rpartition(".")[2] for cls in type(estimator).__mro__}
    modules = {"scikit-learn" if one == "sklearn" else one for one in modules}
    for name, version in libraries.items():
        if name in modules or name.removesuffix("-cpu") in modules:
            return f"{estimator.algorithm} ({name} {version})"
    return estimator.algorithm
