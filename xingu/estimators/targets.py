"""Convert the target column to the numbers that a library is fitted to.

`NumberTarget` and `ClassTarget` have the same methods; a classifier uses the latter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DataError, DeclarationError


class NumberTarget:
    """Target of a regressor.

    Attributes:
        classes: Empty.
    """

    def __init__(self) -> None:
        self.classes = pd.Index([])

    def learn(self, values: pd.Series, owner: str) -> None:
        """Check the targets of the training set.

        Raises:
            DataError: If they are not numeric.
        """
        self.codes(values, owner)

    def codes(self, values: pd.Series, owner: str) -> np.ndarray:
        """Return `values` as float64, NaN where missing.

        Raises:
            DataError: If they are not numeric.
        """
        try:
            if values.dtype.kind in "mM":
                raise TypeError(f"its type is {values.dtype}")
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{owner}: the target {values.name!r} is not numeric ({error}); "
                "convert it in clean_data_for_train, or use a classifier.",
                target=values.name,
            ) from error

    def weights(self, codes: np.ndarray, declared: Any, owner: str = "Estimator") -> None:
        """Return None: regressors have no class weights."""


class ClassTarget:
    """Target of a classifier: labels of any sortable type.

    Attributes:
        classes: Sorted labels of the training set; a label's position is its code.
    """

    def __init__(self) -> None:
        self.classes = pd.Index([])

    def learn(self, values: pd.Series, owner: str) -> None:
        """Learn the labels of the training set.

        Raises:
            DataError: If they cannot be sorted, or there is only one label.
        """
        try:
            self.classes = pd.Index(pd.unique(values.to_numpy())).sort_values()
        except TypeError as error:
            raise DataError(
                f"{owner}: the labels of {values.name!r} cannot be sorted ({error}); "
                "make them one type in clean_data_for_train.",
                target=values.name,
            ) from error
        if len(self.classes) < 2:
            raise DataError(
                f"{owner}: {values.name!r} is {self.classes.tolist()[0]!r} in every row of "
                "'train'; a classifier needs two classes.",
                target=values.name,
            )

    def codes(self, values: pd.Series, owner: str) -> np.ndarray:  # noqa: ARG002
        """Return the code of each label as float64; NaN for a label not in the training set."""
        codes = self.classes.get_indexer(pd.Index(values.to_numpy())).astype(np.float64)
        codes[codes < 0] = np.nan
        return codes

    def weights(
        self,
        codes: np.ndarray,
        declared: Mapping[Any, float] | str | None,
        owner: str = "Estimator",
    ) -> np.ndarray | None:
        """Return the weight of each row by its class.

        Args:
            codes: Codes of the training set, shape (n,).
            declared: ``"balanced"``, or weights by label (default 1), as scikit-learn's
                `class_weight`; None: no weights.
            owner: Name of the Estimator, for errors.

        Raises:
            DeclarationError: If `declared` is something else, or names a label that is no class.
        """
        if declared is None:
            return None
        counts = np.bincount(codes.astype(np.intp), minlength=len(self.classes))
        if isinstance(declared, Mapping):
            by_code = np.array(weights_by_label(declared, self.classes.tolist(), owner))
        elif isinstance(declared, str) and declared == "balanced":
            by_code = len(codes) / (len(counts) * counts)
        else:
            raise DeclarationError(
                f"{owner}: class_weight is {declared!r}; it is 'balanced', or weights by label."
            )
        return by_code[codes.astype(np.intp)]


def weights_by_label(
    declared: Mapping[Any, float], classes: Sequence[Any], owner: str
) -> list[float]:
    """Return the weight of each class, 1 where none is declared.

    Raises:
        DeclarationError: If a label of `declared` is no class.
    """
    wrong = [label for label in declared if label not in classes]
    if wrong:
        raise DeclarationError(
            f"{owner}: class weights name {', '.join(map(repr, wrong))}, no label of the training "
            f"set; its labels are {', '.join(map(repr, classes[:20]))}.",
            unknown=wrong,
        )
    return [declared.get(label, 1.0) for label in classes]
