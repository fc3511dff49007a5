"""Read the files of a saved Estimator with the library that made them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import catboost
import lightgbm
import xgboost


@contextmanager
def saved(estimator) -> Iterator[Path]:
    """Save an Estimator into a temporary folder."""
    with TemporaryDirectory() as name:
        estimator.save(Path(name))
        yield Path(name)


def rounds_of(estimator) -> int:
    """Return the number of boosting rounds in the file of the library."""
    with saved(estimator) as folder:
        [file] = [one for one in folder.iterdir() if one.suffix in {".ubj", ".cbm", ".txt"}]
        if file.suffix == ".ubj":
            return xgboost.Booster(model_file=file).num_boosted_rounds()
        if file.suffix == ".cbm":
            return catboost.CatBoost().load_model(str(file)).tree_count_
        booster = lightgbm.Booster(model_file=file)
        return booster.num_trees() // booster.num_model_per_iteration()


def stored_json(estimator) -> dict[str, Any]:
    """Return the content of ``estimator.json``."""
    with saved(estimator) as folder:
        return json.loads((folder / "estimator.json").read_text())
