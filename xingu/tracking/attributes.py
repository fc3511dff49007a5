"""What is known of a train, as names and texts: one row of `training_attributes` each."""

import json
from collections.abc import Mapping

from xingu.directions import without_synonyms
from xingu.model import Model
from xingu.model.provenance import Provenance
from xingu.tuning.resolve import DECLARED
from xingu.tuning.trials import plain


def train_attributes(model: Model) -> dict[str, str]:
    """Return the attributes of a fitted Model; what is not known is left out.

    Those of Xingu 2.0 have its names: `hyperparam` is JSON with `source_train_id`, `params` and
    `hyperparams`, and `x_estimator_features` a JSON list. `hyperparam_origin` is ours: ``dp``,
    ``self``, ``defaults``, or the train that they come from; `metric_directions` is JSON.
    """
    estimator, signature = model.estimator, model.signature()
    directions = model.dp.metric_directions
    own = {
        "trained": model.trained.isoformat() if model.trained else None,
        "dagster_run_id": model.run.run_id,
        "estimator": type(estimator).__name__ if estimator else None,
        "x_features": json.dumps([*signature.features]),
        "x_estimator_features": json.dumps(signature.estimator_features),
        "y": signature.target,
        "hyperparam": _hyperparam(model),
        "hyperparam_origin": model.hyperparams_origin if estimator else None,
        "metric_directions": json.dumps(without_synonyms(directions)) if directions else None,
        **{f"rows_{name}": str(rows) for name, rows in signature.set_rows.items()},
    }
    known = {**provenance_attributes(model.provenance), **own}
    return {name: value for name, value in known.items() if value is not None}


def provenance_attributes(provenance: Provenance) -> dict[str, str]:
    """Return what is known of the place that a train ran in, by name."""
    known: Mapping[str, object] = {
        "user_name": provenance.user_name,
        "host_name": provenance.host_name,
        "git_branch": provenance.git_branch,
        "git_commit": provenance.git_commit,
        "git_remote": provenance.git_remote,
        "git_dirty": provenance.git_dirty,
        "git_diff": provenance.git_diff,
        "python": provenance.python,
        **provenance.ci,
        **{f"library_{name}": version for name, version in provenance.libraries.items()},
    }
    return {name: str(value) for name, value in known.items() if value is not None}


def _hyperparam(model: Model) -> str | None:
    if model.estimator is None:
        return None
    params, origin = model.algo_params, model.hyperparams_origin
    chosen = {
        "source_train_id": None if origin in (*DECLARED, "self") else origin,
        "params": params.get("params", {}),
        "hyperparams": params.get("hyperparams", {}),
    }
    return json.dumps(plain(chosen))
