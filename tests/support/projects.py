"""Projects on disk whose code can be taken away: what is saved must load without them."""

import importlib
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from xingu import Model
from xingu.records import TrainRun
from xingu.registry.store import ModelStore

ROWS = pd.DataFrame({"size": [1.0, 2.0, 3.0, 4.0], "price": [10.0, 20.0, 30.0, 40.0]})

SHARED = """
from xingu import DataProvider

class Shared(DataProvider):
    x_features = ["size"]
    y = "price"
"""


@dataclass
class CodeFolder:
    """A folder of modules on the import path; `leave` takes it away."""

    root: Path
    names: set[str] = field(default_factory=set)

    def write(self, files: Mapping[str, str]) -> None:
        """Write modules by relative path, and forget those that were imported."""
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))
            self.names.add(path.partition("/")[0].removesuffix(".py"))
        self._forget()
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))

    def cls(self, name: str) -> type:
        """Import a class by its dotted name."""
        module, _, attribute = name.rpartition(".")
        return getattr(importlib.import_module(module), attribute)

    def leave(self) -> None:
        """Make the folder invisible, as on another machine."""
        if str(self.root) in sys.path:
            sys.path.remove(str(self.root))
        self._forget()

    def _forget(self) -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] in self.names]:
            del sys.modules[name]
        importlib.invalidate_caches()


def fitted(cls: type, train_id: str = "first") -> Model:
    """Fit a DataProvider to `ROWS`, through its hook `feature_engineering_for_train`."""
    provider = cls()
    rows = provider.feature_engineering_for_train(ROWS.copy())
    run = TrainRun(str(cls.id), train_id, "session", "run")
    return Model.of(provider, provider.make_estimator(), run).fit({"train": rows})


def save(store: ModelStore, cls: type, train_id: str = "first") -> Model:
    """Fit and save a DataProvider."""
    model = fitted(cls, train_id)
    store.save(model)
    store.make_current(model.run)
    return model
