"""Attributes of a train, one row of `training_attributes` each."""

import json
from datetime import UTC, datetime

from xingu.directions import without_synonyms
from xingu.model import Model
from xingu.model.provenance import Provenance
from xingu.records import POSITIVE_CLASS
from xingu.tracking.schema import (
    BRANCH,
    DIRECTIONS,
    HYPERPARAM,
    HYPERPARAM_CHOICE,
    HYPERPARAM_DECLARED,
    HYPERPARAM_ORIGIN,
    HYPERPARAM_SEARCHED,
    TOLERANCES,
    TRAINED,
)
from xingu.tuning.resolve import DECLARED, SEARCHED, Hyperparameters
from xingu.tuning.trials import plain


def train_attributes(model: Model, chosen: Hyperparameters | None = None) -> dict[str, str]:
    """Return the attributes of a fitted Model; unknown ones are left out.

    Args:
        model: A fitted Model.
        chosen: The choice of its hyperparameters; None: it is not known.

    Attributes that Xingu 2.0 has are named as there: `hyperparam` is JSON with `source_train_id`,
    `params` and `hyperparams`; `x_estimator_features` is a JSON list.
    """
    estimator, signature = model.estimator, model.signature()
    directions, tolerances = model.dp.metric_directions, model.dp.metric_tolerances
    one = model.estimated_class()
    attributes = {
        TRAINED: model.trained.isoformat() if model.trained else None,
        "dagster_run_id": model.run.run_id,
        "estimator": estimator.algorithm if estimator else None,
        "x_features": json.dumps([*signature.features]),
        "x_estimator_features": json.dumps(signature.estimator_features),
        "y": signature.target,
        "classes": json.dumps(signature.classes, default=str) if signature.classes else None,
        POSITIVE_CLASS: str(one.label) if one else None,
        HYPERPARAM: _hyperparam(model) if estimator else None,
        HYPERPARAM_ORIGIN: model.hyperparams_origin if estimator else None,
        HYPERPARAM_DECLARED: json.dumps(chosen.declared) if chosen and chosen.declared else None,
        HYPERPARAM_CHOICE: (chosen.choice or None) if chosen else None,
        DIRECTIONS: json.dumps(without_synonyms(directions)) if directions else None,
        TOLERANCES: json.dumps(dict(tolerances)) if tolerances else None,
        **{f"rows_{name}": str(rows) for name, rows in signature.set_rows.items()},
    }
    return provenance_attributes(model.provenance) | _known(attributes)


def searched_attributes(chosen: Hyperparameters) -> dict[str, str]:
    """Return the attributes of a train that has searched and is not fitted yet."""
    used = {"source_train_id": None, "params": chosen.params, "hyperparams": chosen.hyperparams}
    return _known(
        {
            HYPERPARAM: json.dumps(plain(used)),
            HYPERPARAM_ORIGIN: chosen.origin,
            HYPERPARAM_DECLARED: json.dumps(chosen.declared) if chosen.declared else None,
            HYPERPARAM_CHOICE: chosen.choice or None,
            HYPERPARAM_SEARCHED: datetime.now(UTC).isoformat(),
        }
    )


def provenance_attributes(provenance: Provenance) -> dict[str, str]:
    """Return the attributes of a provenance; unknown ones are left out."""
    return _known(
        {
            "user_name": provenance.user_name,
            "host_name": provenance.host_name,
            BRANCH: provenance.git_branch,
            "git_commit": provenance.git_commit,
            "git_remote": provenance.git_remote,
            "git_dirty": provenance.git_dirty,
            "git_diff": provenance.git_diff,
            "python": provenance.python,
            "sample_rows": provenance.sample_rows or None,
            **provenance.ci,
            **{f"library_{name}": version for name, version in provenance.libraries.items()},
        }
    )


def _known(attributes: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in attributes.items() if value is not None}


def _hyperparam(model: Model) -> str:
    params, origin = model.algo_params, model.hyperparams_origin
    used = {
        "source_train_id": None if origin in (*DECLARED, SEARCHED) else origin,
        "params": params.get("params", {}),
        "hyperparams": params.get("hyperparams", {}),
    }
    return json.dumps(plain(used))
