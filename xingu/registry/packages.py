"""Write and load model packages: the files of one saved Model.

Layout of the folder of a package::

    manifest.json, provider_state.pkl, code/…, classes.pkl, estimator/…, pre_reqs/<dp>/…,
    golden.parquet, golden_estimations.parquet

No file is unpickled before its SHA-256 was compared with the manifest. A nested package of a
prerequisite is verified when the prerequisite is loaded.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from upath import UPath

from xingu.errors import DeclarationError
from xingu.files.sealed import seal
from xingu.model import Model, PreReqModels, Signature
from xingu.model.provenance import Provenance, library_versions
from xingu.model.reference import Reference
from xingu.names import key_part
from xingu.provider.base import DataProvider, gained_attributes
from xingu.provider.code_version import code_version
from xingu.provider.estimator import Estimator
from xingu.provider.pickles import portable_pickle
from xingu.provider.state import ProviderState
from xingu.records import SourceRecord, TrainRun
from xingu.registry.golden import write_golden
from xingu.registry.manifest import (
    MANIFEST,
    Manifest,
    ProviderRecord,
    describe_files,
    different,
    read_manifest,
)
from xingu.registry.opened import PRE_REQS, Opened, open_package, verified_copy
from xingu.registry.package_code import BY_VALUE, CODE, read_code, write_code
from xingu.registry.packaged_code import original_name
from xingu.registry.provider_class import PackagedClasses, packaged_classes
from xingu.registry.transfer import copy_package

logger = logging.getLogger(__name__)

STATE, ESTIMATOR = "provider_state.pkl", "estimator"


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
        pre_reqs: Packages of its prerequisites, by id of the DataProvider.
        values: Ids of the stored values that it was trained on, by asset key.
        sources: The sources that it was trained on.

    Raises:
        CorruptPackageError: If the package of a prerequisite is damaged.
        PortabilityError: If a class or a module of the project cannot be stored.
        StateError: If an attribute of the DataProvider cannot be pickled.
    """
    (folder / STATE).write_bytes(_pickled_state(model))
    if model.estimator is not None:
        (folder / ESTIMATOR).mkdir()
        model.estimator.save(folder / ESTIMATOR)
    write_code(model, folder)
    for dp_id, nested in pre_reqs.items():
        copy_package(nested, UPath(folder / PRE_REQS / key_part(dp_id)), read_manifest(nested))
    write_golden(model, folder)
    manifest = _manifest_of(model, folder, values, sources)
    (folder / MANIFEST).write_bytes(seal(manifest.model_dump_json(indent=1)))


def load_package(
    package: UPath, model_class: type[Model] = Model, opened: Opened | None = None
) -> Model:
    """Verify the checksums of a package and return its Model.

    Args:
        package: Folder or URL of the package.
        model_class: Class of the Model and of the Models of its prerequisites.
        opened: Its manifest; None: it is read.

    Raises:
        CorruptPackageError: If a file is missing or differs from what was saved.
    """
    opened = opened or open_package(package)
    manifest = opened.manifest
    provenance = Provenance(**manifest.provenance)
    with verified_copy(package, opened) as folder:
        _warn_of_other_versions(manifest, provenance.libraries)
        provider, estimator = _load_parts(manifest, folder, str(package))

    def load_pre_req(dp_id: str, _: str) -> Model:
        nested = f"{PRE_REQS}/{key_part(dp_id)}"
        inner = replace(open_package(package / nested), signer=opened.signer)
        # The manifest has the checksum of that of the prerequisite, and so the signature covers it.
        record = manifest.files.get(f"{nested}/{MANIFEST}")
        if record is None or record.sha256 != inner.sha256:
            raise different(f"{nested}/{MANIFEST}").error(package)
        return load_package(package / nested, model_class, inner)

    provider.pre_req_model = PreReqModels(manifest.pre_reqs, load_pre_req)
    ids = (manifest.dataprovider_id, manifest.train_id, manifest.train_session_id, manifest.run_id)
    model = model_class.of(provider, estimator, TrainRun(*ids), provenance)
    model.trained = manifest.trained or False
    model.hyperparams_origin = manifest.hyperparams_origin
    model.scores = manifest.scores
    model.fitted_signature = _signature_of(manifest, model)
    model.package_sha256, model.signer = opened.sha256, opened.signer
    if manifest.reference is not None:
        model.reference = Reference.from_dict(manifest.reference)
    return model


def _pickled_state(model: Model) -> bytes:
    try:
        payload = portable_pickle(gained_attributes(model.dp))
        ProviderState(payload).attributes()  # else who loads the package would find the fault
    except Exception:
        hook = "post_process_after_train"
        # This raises an error that names the attribute.
        ProviderState.capture(model.dp, hook, model.pre_req_trains).attributes()
        raise
    return payload


def _load_parts(
    manifest: Manifest, folder: Path, place: str
) -> tuple[DataProvider, Estimator | None]:
    """Return the DataProvider and the Estimator, with code of the project or of the package."""
    code = read_code(folder, place, manifest.provider.module)
    classes = packaged_classes(manifest, code, folder / BY_VALUE)
    cls = classes.provider_of_project()
    if cls is not None:
        try:
            return _restored(manifest, folder, classes, cls, of_project=True)
        except (AttributeError, ImportError, DeclarationError) as error:
            if code is None:
                raise
            text = "%s: the project's code cannot read this Model (%s); using that in the package"
            logger.warning(text, manifest.dataprovider_id, error)
    with classes.imported() as packaged:
        return _restored(manifest, folder, classes, packaged, of_project=False)


def _restored(
    manifest: Manifest,
    folder: Path,
    classes: PackagedClasses,
    cls: type[DataProvider],
    *,
    of_project: bool,
) -> tuple[DataProvider, Estimator | None]:
    provider = cls()
    ProviderState((folder / STATE).read_bytes()).restore(provider)
    if manifest.estimator_class is None:
        return provider, None
    estimator = classes.estimator(manifest.estimator_class, of_project=of_project)
    return provider, estimator.load(folder / ESTIMATOR)


def _manifest_of(
    model: Model, folder: Path, values: Mapping[str, str], sources: Sequence[SourceRecord]
) -> Manifest:
    cls, estimator, signature = type(model.dp), model.estimator, model.signature()
    return Manifest(
        dataprovider_id=model.id,
        train_id=model.train_id,
        train_session_id=model.train_session_id,
        run_id=model.run.run_id,
        trained=model.trained or None,
        provider=ProviderRecord(
            module=original_name(cls.__module__),
            name=cls.__qualname__,
            code_version=code_version(cls),
            has_source=(folder / CODE).exists() or (folder / BY_VALUE).exists(),
        ),
        estimator_class=(
            f"{original_name(type(estimator).__module__)}.{type(estimator).__qualname__}"
            if estimator
            else None
        ),
        algorithm=estimator.algorithm if estimator else None,
        algo_params=json.loads(json.dumps(_parameters(model), default=_name)),
        hyperparams_origin=model.hyperparams_origin,
        features=dict(signature.features),
        estimator_features=list(signature.estimator_features),
        target=signature.target,
        set_rows=dict(signature.set_rows),
        classes=[
            one if isinstance(one, bool | int | float | str) else str(one)
            for one in signature.classes
        ],
        estimated_class=signature.estimated_class,
        provenance=model.provenance.as_dict(),
        values=dict(values),
        sources=[asdict(source) for source in sources],
        pre_reqs=model.pre_req_trains,
        scores={name: dict(values) for name, values in model.scores.items()},
        reference=model.reference.as_dict() if model.reference else None,
        files=describe_files(folder),
    )


def _parameters(model: Model) -> dict[str, Any]:
    names = ("params", "hyperparams")
    return {name: one for name, one in model.algo_params.items() if name in names}


def _name(value: object) -> str:
    """Return the name of a function or class, without its address in memory; else its text."""
    return getattr(value, "__qualname__", None) or str(value)


def _signature_of(manifest: Manifest, model: Model) -> Signature:
    classes: Sequence[Any] = manifest.classes or ()
    if model.estimator is not None:
        # In their own types; the manifest has them for Estimators that do not know their classes.
        classes = model.estimator.classes() or classes
    estimated = manifest.estimated_class
    if manifest.classes is None and classes:  # saved when the first class was the default
        estimated = model.dp.proba_class_index or 0
    return Signature(
        manifest.features,
        tuple(manifest.estimator_features),
        manifest.target,
        manifest.set_rows,
        tuple(classes),
        estimated,
    )


def _warn_of_other_versions(manifest: Manifest, saved: Mapping[str, str]) -> None:
    installed = library_versions()
    changes = [
        f"{name} {version} → {installed[name]}"
        for name, version in saved.items()
        if installed.get(name, version) != version
    ]
    if changes:
        logger.warning(
            "%s: train %s used other library versions: %s",
            manifest.dataprovider_id,
            manifest.train_id,
            ", ".join(changes),
        )
