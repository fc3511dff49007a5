"""Values that the installed libraries cannot read: the error says which version wrote them."""

import pandas as pd
import pytest

from tests.support.fitted import save_model
from tests.support.toys import Houses
from xingu.errors import StorageError
from xingu.registry.store import ModelStore
from xingu.values import Label, ValueStore


class OfAnotherPandas:
    """Unpickles as a frame of pandas 3 does under pandas 2."""

    def __reduce__(self):
        return _refuse, ()


def _refuse():
    raise NotImplementedError("StringDtype")


@pytest.mark.parametrize("value", [OfAnotherPandas(), pd.DataFrame({"x": [OfAnotherPandas()]})])
def test_a_value_of_another_pandas_says_what_to_install(tmp_path, monkeypatch, value):
    store = ValueStore(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(pd, "__version__", "9.0")
        store.write(("dp", "features"), "run", value, Label())
    with pytest.raises(
        StorageError, match=r"^dp/features: .*NotImplementedError.*StringDtype"
    ) as error:
        store.read(("dp", "features"))
    wanted = f"written with pandas 9.0, and {pd.__version__} is installed: install pandas 9.0, or"
    assert wanted in str(error.value)
    assert str(error.value).endswith("materialize dp/features again.")


def test_a_package_of_another_pandas_says_what_to_install(tmp_path, monkeypatch):
    store = ModelStore(tmp_path)
    save_model(Houses, store)

    def load(*_):
        raise NotImplementedError("StringDtype")

    monkeypatch.setattr("xingu.registry.packages.load_package", load)
    monkeypatch.setattr("xingu.model.provenance.library_versions", lambda: {"pandas": "2.3"})
    with pytest.raises(
        StorageError, match=r"NotImplementedError: StringDtype.*2\.3 is installed: i"
    ):
        store.load("houses", "first")
