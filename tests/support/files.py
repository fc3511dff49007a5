"""Read one declared file source."""

from pathlib import Path

import pandas as pd

from xingu.sources import Databases, SourceCache, observe_source, parse_sources, read_sources


def read(home: Path, url: str, /, **params: object) -> pd.DataFrame:
    specs = parse_sources("delay", "train_dataset_sources", {"s": {"url": url, "params": params}})
    (result,) = read_sources("delay", specs, Databases({}, home), SourceCache(None))
    assert not result.cached
    return result.frame


def version(home: Path, url: str, /, **params: object) -> str:
    (spec,) = parse_sources("delay", "train_dataset_sources", {"s": {"url": url, "params": params}})
    return observe_source("delay", spec, Databases({}, home))
