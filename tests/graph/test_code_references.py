"""Assets refer to the lines that make them, so that the UI opens them in an editor."""

import dagster as dg
import pytest

from tests.support.projects import CodeFolder
from xingu.config import Settings
from xingu_dagster.project import definitions_of

CODE = """
from xingu import DataProvider

class Base(DataProvider):
    def clean_data_for_train(self, datasets):
        return datasets["rows"]

class Sales(Base):
    id = "sales"
    train_dataset_sources = {
        "rows": {"url": "rows.csv"},
        "more": {"url": "more.csv"},
    }
    y = "b"

    @property
    def unused(self):
        return 1

    def compute_trainsets_model_metrics_skill(self, XY, Y_pred):
        return {}

    def data_split_for_train(self, data):
        return data
"""


@pytest.fixture
def references(tmp_path):
    """Give the references of an asset as pairs of label and line."""
    code = CodeFolder(tmp_path)
    code.write({"code_references_of_sales.py": CODE})
    cls = code.cls("code_references_of_sales.Sales")
    graph = definitions_of(Settings.load(project_home=tmp_path), {"sales": cls})
    specs = {spec.key: spec for spec in graph.resolve_all_asset_specs()}

    def references(*path: str):
        metadata = specs[dg.AssetKey(path)].metadata
        value = metadata["dagster/code_references"]
        assert isinstance(value, dg.CodeReferencesMetadataValue)
        file = str(tmp_path / "code_references_of_sales.py")
        found = [one for one in value.code_references if isinstance(one, dg.LocalFileCodeReference)]
        assert {one.file_path for one in found} == {file}
        return [(one.label, one.line_number) for one in found]

    yield references
    code.leave()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("sales/cleaned", [("clean_data_for_train", 5)]),  # of the base class
        ("sales/raw/more", [("train_dataset_sources", 12)]),  # the entry of this source
        ("sources/sales/more", [("train_dataset_sources", 12)]),
        ("sales/trainset_metrics", [("compute_trainsets_model_metrics_skill", 20)]),
        ("sales/splits", [("data_split_for_train", 23)]),
        ("sales/plots", []),
    ],
)
def test_an_asset_refers_to_its_hook_and_to_the_class(references, path, expected):
    assert references(*path.split("/")) == [*expected, ("Sales", 8)]


def test_the_lines_are_those_of_the_file(references):
    lines = CODE.splitlines()
    for label, number in references("sales", "splits"):
        assert label in lines[number - 1]
