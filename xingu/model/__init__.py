"""Model: a DataProvider's state, a fitted Estimator, ids and provenance, without any I/O."""

from xingu.model.model import Model, PredictKind, PreReqModels, Signature

__all__ = ["Model", "PreReqModels", "PredictKind", "Signature"]
