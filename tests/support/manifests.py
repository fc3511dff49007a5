"""Manifests of packages that were never trained."""

from datetime import UTC, datetime

from xingu.registry.manifest import Manifest, ProviderRecord


def manifest(**changed) -> Manifest:
    """Return a manifest in which the given fields differ from usual ones."""
    known = {
        "dataprovider_id": "houses", "train_id": "calm-fox", "train_session_id": "brave-day",
        "run_id": "run-1", "trained": datetime(2026, 1, 1, tzinfo=UTC),
        "provider": ProviderRecord(module="m", name="C", code_version="1", has_source=False),
        "estimator_class": None, "algo_params": {}, "hyperparams_origin": "dp", "features": {},
        "estimator_features": [], "target": None, "set_rows": {}, "provenance": {}, "values": {},
        "pre_reqs": {},
    }  # fmt: skip
    return Manifest(**known | changed)
