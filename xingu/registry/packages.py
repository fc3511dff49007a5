"""Model packages: the files of one saved Model, with a manifest that lists and checks them.

Layout of the folder of a package::

    manifest.json, provider_state.pkl, provider.py, estimator/…, pre_reqs/<dp>/…

No file is unpickled before its SHA-256 was compared with the manifest.
"""

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from upath import UPath

from xingu.files.atomic import local_path
from xingu.model import Model, PreReqModels, Signature
from xingu.model.provenance import Provenance, library_versions
from xingu.model.reference import Reference
from xingu.names import key_part
from xingu.provider.code_version import code_version, source_file
from xingu.provider.estimator import resolve_estimator_class
from xingu.provider.state import ProviderState
from xingu.records import SourceRecord, TrainRun
from xingu.registry.manifest import (
    MANIFEST,
    Manifest,
    ProviderRecord,
    describe_files,
    read_manifest,
    verify,
)
from xingu.registry.provider_class import load_provider_class

logger = logging.getLogger(__name__)

STATE, ESTIMATOR, PROVIDER, PRE_REQS = "provider_state.pkl", "estimator", "provider.py", "pre_reqs"


def write_package(
    model: Model,
    folder: Path,
    pre_reqs: Mapping[str, UPath],
    values: Mapping[str, str],
    sources: Sequence[SourceRecord],
) -> None:
    """Write the files of a package into an empty local folder.

    Args:
        model: A fitted Model.
        folder: The folder.
        pre_reqs: The packages of its prerequisites, by id of the DataProvider.
        values: Ids of the stored values that it was trained on, by asset key.
        sources: The sources that it was trained on.

    Raises:
        CorruptPackageError: If the package of a prerequisite is damaged.
    """
    state = ProviderState.capture(model.dp, "post_process_after_train", model.pre_req_trains)
    (folder / STATE).write_bytes(state.payload)
    source = source_file(type(model.dp))
    if source is not None:
        (folder / PROVIDER).write_bytes(source.read_bytes())
    if model.estimator is not None:
        (folder / ESTIMATOR).mkdir()
        model.estimator.save(folder / ESTIMATOR)
    for dp_id, nested in pre_reqs.items():
        verify(nested, read_manifest(nested))
        copy_files(nested, UPath(folder / PRE_REQS / key_part(dp_id)))
    manifest = _manifest_of(model, values, has_source=source is not None)
    update = {"files": describe_files(folder), "sources": [asdict(one) for one in sources]}
    manifest = manifest.model_copy(update=update)
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1))


def load_package(package: UPath, model_class: type[Model] = Model) -> Model:
    """Return the Model of a package, after its checksums were compared.

    Args:
        package: Folder or URL of the package.
        model_class: Class of the Model and of those of its prerequisites.

    Raises:
        CorruptPackageError: If a file is missing or is not what was saved.
    """
    manifest = read_manifest(package)
    verify(package, manifest, lambda file: not file.startswith(f"{PRE_REQS}/"))
    _warn_of_other_versions(manifest)
    with _local(package) as folder:
        cls = load_provider_class(manifest.provider, manifest.dataprovider_id, folder / PROVIDER)
        provider = cls()
        ProviderState((folder / STATE).read_bytes()).restore(provider)
        estimator = None
        if manifest.estimator_class is not None:
            owner = manifest.dataprovider_id
            estimator_class = resolve_estimator_class(manifest.estimator_class, owner)
            estimator = estimator_class.load(folder / ESTIMATOR)

    def load_pre_req(dp_id: str, _: str) -> Model:
        inside = f"{PRE_REQS}/{key_part(dp_id)}"
        # Its own manifest could have been changed together with its files.
        verify(package, manifest, lambda file: file == f"{inside}/{MANIFEST}")
        return load_package(package / inside, model_class)

    provider.pre_req_model = PreReqModels(manifest.pre_reqs, load_pre_req)
    model = model_class(provider, estimator, _run_of(manifest), _provenance_of(manifest))
    return _with_facts(model, manifest)


def _with_facts(model: Model, manifest: Manifest) -> Model:
    model.trained = manifest.trained or False
    model.hyperparams_origin = manifest.hyperparams_origin
    model.fitted_signature = Signature(
        manifest.features, tuple(manifest.estimator_features), manifest.target, manifest.set_rows
    )
    if manifest.reference is not None:
        model.reference = Reference.from_dict(manifest.reference)
    return model


def _run_of(manifest: Manifest) -> TrainRun:
    return TrainRun(
        manifest.dataprovider_id, manifest.train_id, manifest.train_session_id, manifest.run_id
    )


def _provenance_of(manifest: Manifest) -> Provenance:
    return Provenance(**manifest.provenance)


def _manifest_of(model: Model, values: Mapping[str, str], *, has_source: bool) -> Manifest:
    cls, estimator, signature = type(model.dp), model.estimator, model.signature()
    return Manifest(
        dataprovider_id=model.id,
        train_id=model.train_id,
        train_session_id=model.train_session_id,
        run_id=model.run.run_id,
        trained=model.trained or None,
        provider=ProviderRecord(
            module=cls.__module__,
            name=cls.__qualname__,
            code_version=code_version(cls),
            has_source=has_source,
        ),
        estimator_class=(
            f"{type(estimator).__module__}.{type(estimator).__qualname__}" if estimator else None
        ),
        algo_params=json.loads(json.dumps(model.algo_params, default=str)),
        hyperparams_origin=model.hyperparams_origin,
        features=dict(signature.features),
        estimator_features=list(signature.estimator_features),
        target=signature.target,
        set_rows=dict(signature.set_rows),
        provenance=model.provenance.as_dict(),
        values=dict(values),
        pre_reqs=model.pre_req_trains,
        reference=model.reference.as_dict() if model.reference else None,
    )


def _warn_of_other_versions(manifest: Manifest) -> None:
    now = library_versions()
    saved = _provenance_of(manifest).libraries
    others = [
        f"{name} {saved[name]} → {now[name]}"
        for name in saved
        if now.get(name, saved[name]) != saved[name]
    ]
    if others:
        logger.warning(
            "%s %s was trained with other library versions: %s",
            manifest.dataprovider_id,
            manifest.train_id,
            ", ".join(others),
        )


def copy_files(source: UPath, target: UPath) -> None:
    """Copy a folder's files; the manifest last, because it says that the package is whole."""
    files = [path for path in source.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == MANIFEST):
        place = target.joinpath(*path.parts[len(source.parts) :])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())


@contextmanager
def _local(package: UPath) -> Iterator[Path]:
    """The package as a local folder: itself, or a copy for as long as it is being read."""
    if local := local_path(package):
        yield local
        return
    with tempfile.TemporaryDirectory(prefix="xingu-") as folder:
        copy_files(package, UPath(folder))
        yield Path(folder)
