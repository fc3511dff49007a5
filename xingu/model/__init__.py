"""Model: the state of a DataProvider, a fitted Estimator, ids and provenance, without I/O."""

from xingu.model.model import Model, PredictKind, PreReqModels, Signature

__all__ = ["Model", "PreReqModels", "PredictKind", "Signature"]
