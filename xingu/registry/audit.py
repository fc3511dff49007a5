"""Verify saved trains without loading them, and sign what is verified.

Nothing of a package is unpickled. Keys are those of the model storage (`ModelStore.keys`); without
keys only checksums are verified, and nothing is signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from xingu.errors import SettingsError, SignatureError, XinguError
from xingu.registry.manifest import SIGNATURE, Manifest, faults, verify
from xingu.registry.store import ModelStore

Outcome = Literal["passed", "warned", "failed"]
"""Result of a check; ``failed`` blocks."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The verification of one train.

    Attributes:
        dataprovider_id: Id of the DataProvider.
        train_id: Id of the train.
        files: Number of files that the manifest names.
        signature: ``valid``, ``refused``, ``missing``, or ``not verified`` without trusted keys.
        signer: The trusted key that has signed the package; None if none has.
        verdict: ``passed`` or ``failed``, as a trusted key has signed; None if there is none.
        problems: Everything that is wrong, as readable texts.
    """

    dataprovider_id: str
    train_id: str
    files: int = 0
    signature: str = "not verified"
    signer: str | None = None
    verdict: str | None = None
    problems: tuple[str, ...] = ()


def audit(models: ModelStore, dp_id: str, train_id: str) -> Audit:
    """Compare all files of a train with its manifest, and verify signature and verdict.

    Without trusted keys, a missing signature is no problem; with some, it is one.
    """
    try:
        manifest = models.manifest(dp_id, train_id)
    except XinguError as error:
        return Audit(dp_id, train_id, problems=(str(error),))
    package = models.package(dp_id, train_id)
    problems = [f"{one.file} {one.problem}" for one in faults(package, manifest)]
    signature, signer, verdict = "not verified", None, None
    if not (package / SIGNATURE).exists():
        signature = "missing"
    if models.keys is not None and models.keys.trusted:
        from xingu.registry.signing import verify_signature, verify_verdict

        try:
            signer = verify_signature(package, models.keys.trusted)
            signature = "valid"
            if found := verify_verdict(package, models.keys.trusted):
                verdict = "passed" if found.accepted else "failed"
        except SignatureError as error:
            signature = "refused" if signature != "missing" and signer is None else signature
            problems.append(str(error.facts["reason"]))
    return Audit(dp_id, train_id, len(manifest.files), signature, signer, verdict, tuple(problems))


def sign_train(models: ModelStore, dp_id: str, train_id: str) -> None:
    """Sign the package of a train, after its files were verified; a signature is replaced.

    Raises:
        UntrainedModelError: If there is no such train.
        CorruptPackageError: If a file is missing or differs from what was saved.
        SettingsError: If there is no key to sign with.
    """
    package = models.package(dp_id, train_id)
    verify(package, models.manifest(dp_id, train_id))
    if models.keys is None or not models.keys.sign(package):
        raise SettingsError("There is no key to sign with: set SIGNING_KEY.")


def sign_verdict(
    models: ModelStore, train: Manifest, checks: Mapping[str, Outcome], *, accepted: bool
) -> None:
    """Sign the result of the checks of a train, if there is a key to sign with.

    Args:
        models: The model storage.
        train: The train.
        checks: Results by check.
        accepted: Whether the train has passed its blocking checks.
    """
    if models.keys is not None and models.keys.signing is not None:
        from xingu.registry import signing

        package = models.package(train.dataprovider_id, train.train_id)
        signing.sign_verdict(package, models.keys.signing, checks, accepted=accepted)
