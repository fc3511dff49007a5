"""Model: the state of a DataProvider, a fitted Estimator, ids and provenance, without I/O."""

from xingu.model.model import Model, PredictKind
from xingu.model.parts import MadeInFit, PreReqModels, Signature

__all__ = ["MadeInFit", "Model", "PreReqModels", "PredictKind", "Signature"]
