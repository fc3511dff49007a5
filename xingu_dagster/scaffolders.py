"""Scaffolders of the components: the files that `dg scaffold defs` writes."""

from pathlib import Path
from typing import Any

import dagster as dg

MODEL = """\
type: {type_name}

attributes:
  # id: {name}            # by default the name of this folder
  description: What the model estimates.
  sources:
    rows:
      url: data/{name}.csv   # or source: <nickname of a database> and query: SELECT …
  # batch_sources:         # rows to estimate, in the same form
  features: []
  target: target
  # index: id
  # estimator: xingu.estimators.LightGBMRegressor
  # params: {{n_estimators: 200}}
  # search_space:
  #   num_leaves: {{type: int, low: 4, high: 64}}
  # split: {{by: sold_at, test: 0.1, val: 0.2}}
  # checks: {{leakage: error}}
  # gates: {{test: {{R2: [">=", 0.8]}}}}
  # pre_req: {{houses: estimated_price}}
  # owners: [team:pricing]
  # tags: {{domain: sales}}
  # dagster: {{fit: {{pool: gpu, retry: {{max_retries: 2}}, timeout: 3600}}}}
  # settings:              # unless an XinguProjectComponent has them
  #   databases: {{warehouse: {{env: WAREHOUSE_URL}}}}
"""
PROJECT = """\
type: {type_name}

attributes:
  folder: dataproviders
  settings:
    databases: {{}}          # warehouse: {{env: WAREHOUSE_URL}}
  # key_prefix: team
"""
EXAMPLE = '''\
"""An example; files and folders whose names begin with an underscore are not loaded."""

from xingu import DataProvider


class Example(DataProvider):
    """What the model estimates."""

    id = "example"
    train_dataset_sources = {"rows": {"source": "warehouse", "query": "SELECT * FROM rows"}}
    x_features = ["size"]
    y = "price"
    estimator_class = "xingu.estimators.LightGBMRegressor"
'''


class XinguModelScaffolder(dg.Scaffolder):
    """Scaffolder of the `defs.yaml` of a model."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        """Write the file."""
        _write(request, MODEL)


class XinguProjectScaffolder(dg.Scaffolder):
    """Scaffolder of a folder of DataProviders: its `defs.yaml`, and an example."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        """Write the files."""
        _write(request, PROJECT)
        folder = Path(request.target_path) / "dataproviders"
        folder.mkdir(exist_ok=True)
        (folder / "_example.py").write_text(EXAMPLE)


def _write(request: dg.ScaffoldRequest[Any], template: str) -> None:
    if request.scaffold_format != "yaml":
        dg.scaffold_component(request)
        return
    path = Path(request.target_path)
    text = template.format(type_name=request.type_name, name=path.name)
    with (path / "defs.yaml").open("a" if request.append else "w") as file:
        file.write(f"---\n{text}" if request.append else text)
