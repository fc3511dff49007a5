"""Read declared sources, directly or through a cache."""

from pathlib import Path
from typing import Any

import pandas as pd
from upath import UPath

from xingu.records import Observed
from xingu.sources import (
    Databases,
    SourceCache,
    SourceResult,
    observe_source,
    parse_sources,
    read_sources,
)


def read(home: Path, url: str, /, **params: object) -> pd.DataFrame:
    specs = parse_sources("delay", "train_dataset_sources", {"s": {"url": url, "params": params}})
    (result,) = read_sources("delay", specs, Databases({}, home), SourceCache(None))
    assert not result.cached
    return result.frame


def version(home: Path, url: str, /, **params: object) -> str:
    (spec,) = parse_sources("delay", "train_dataset_sources", {"s": {"url": url, "params": params}})
    return observe(spec, Databases({}, home)).version


def observe(spec: Any, databases: Databases, declared=()) -> Observed:
    """Return the observation of one source."""
    return observe_source("delay", spec, databases, declared)


class Desk:
    """Reads declarations through one cache folder."""

    def __init__(self, home: Path, folder: UPath | Path, site) -> None:
        self.home, self.folder, self.site = home, folder, site
        self.urls: dict[str, str] = {}

    def read(self, declared, *, refresh=False, names=None) -> dict[str, SourceResult]:
        specs = parse_sources("delay", "train_dataset_sources", declared)
        cache = SourceCache(self.folder, refresh)
        databases = Databases(self.urls, self.home)
        results = list(read_sources("delay", specs, databases, cache, names=names))
        return {result.name: result for result in results}

    def read_page(self, path="/f.csv", **more) -> SourceResult:
        self.site.pages.setdefault(path, b"a,b\n1,2\n")
        refresh = more.pop("refresh", False)
        return self.read({"s": {"url": self.site.url + path, **more}}, refresh=refresh)["s"]


def files(desk: Desk) -> list[Path]:
    """Return the frames in the cache of `desk`."""
    return sorted(Path(desk.folder).glob("*.parquet"))


def read_results(specs, databases: Databases, cache: SourceCache | None = None):
    """Return the results of sources."""
    return list(read_sources("delay", specs, databases, cache or SourceCache(None)))
