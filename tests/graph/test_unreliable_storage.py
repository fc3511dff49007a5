"""A whole train on object storage that answers with errors, late, or with refusals."""

import fsspec
import pytest

from tests.support.project import Project
from tests.support.s3_proxy import s3_proxy
from tests.support.toys import Houses, houses
from xingu import Model
from xingu.errors import StorageError
from xingu.files.atomic import storage_root
from xingu.files.remote import with_retries

TRAIN = (
    *("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model"),
    *("trainset_estimations", "trainset_metrics"),
)


@pytest.fixture
def proxy(aws_url, s3_url, monkeypatch):
    monkeypatch.setattr(
        "botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01
    )
    files = fsspec.get_filesystem_class("s3")
    with s3_proxy(aws_url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        files.clear_instance_cache()
        yield proxy
        files.clear_instance_cache()


@pytest.fixture
def project(proxy, s3_url, tmp_path):
    folders = {"models": "models", "values": "values", "plots": "plots", "datasource_cache": "c"}
    root = f"{s3_url}/unreliable/{tmp_path.name}"
    return Project(tmp_path, [Houses], {name: f"{root}/{at}" for name, at in folders.items()})


def test_a_storage_that_is_busy_for_a_while_is_waited_for(proxy, s3_url, tmp_path):
    proxy.burst = 7
    file = storage_root(f"{s3_url}/{tmp_path.name}") / "a.txt"
    file.write_bytes(b"x")
    proxy.burst = 7
    assert file.read_bytes() == b"x"


def test_users_configure_the_attempts_with_the_variables_of_botocore(monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    assert with_retries("s3", {"anon": True}) == {"anon": True}


def test_a_train_succeeds_while_every_seventh_answer_of_s3_is_an_error(project, proxy):
    proxy.shares, proxy.delay = {500: 0.05, 503: 0.1}, 0.02
    assert project.run(*(f"houses/{name}" for name in TRAIN)).success
    assert proxy.failed[500] > 2
    assert proxy.failed[503] > 5
    model = Model.load("houses", path=project.models.root)
    assert len(model.predict(houses(5))) == 5


def test_a_file_that_may_not_be_read_is_named_and_not_called_missing(project, proxy):
    project.run("houses/raw/houses")
    record = project.values.record(("houses", "raw", "houses"))
    (file,) = record.files
    proxy.forbidden = (f"{record.value_id}/{file}",)
    with pytest.raises(StorageError, match="may not be read: the storage refused it") as caught:
        project.load("houses/raw/houses")
    assert "check the credentials" in str(caught.value)
    assert "again" not in str(caught.value)
