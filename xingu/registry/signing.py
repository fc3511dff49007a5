"""Sign model packages and verdicts of checks with EC keys, and verify them, without a network.

A signature is a Sigstore bundle: a DSSE envelope around an in-toto statement, signed with ECDSA.
`signature.json` is the format of OpenSSF Model Signing 1.0 (``model_signing verify key``): it lists
the SHA-256 of the manifest and of every file that the manifest names. `verdict.json` is a statement
with the predicate ``test-result`` about the SHA-256 of the manifest; it is made later, so it is
a file of its own. Both lie beside the manifest and are not listed in it.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from upath import UPath

from xingu.errors import SettingsError, SignatureError
from xingu.extras import needs
from xingu.files.atomic import local_path, write_atomically
from xingu.registry.manifest import MANIFEST, SIGNATURE, VERDICT, manifest_bytes, parse_manifest

needs("signing", "cryptography")

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

CURVES = {"secp256r1": hashes.SHA256, "secp384r1": hashes.SHA384, "secp521r1": hashes.SHA512}
"""Curves of keys, and the hash that is signed with each."""

_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_OF_PACKAGE = "https://model_signing/signature/v1.0"
_OF_CHECKS = "https://in-toto.io/attestation/test-result/v0.1"
_CREATE = (
    "create one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem` "
    "and `openssl pkey -in key.pem -pubout -out key.pub.pem`"
)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key.

    Attributes:
        name: Name of its file.
        public: The key.
    """

    name: str
    public: EllipticCurvePublicKey

    def __str__(self) -> str:
        return f"{self.name} (SHA-256 {fingerprint(self.public)[:16]})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The signed result of the checks of a train.

    Attributes:
        accepted: Whether the train has passed its blocking checks.
        passed: Checks that passed, as ``<asset>/<check>``.
        warned: Checks that failed with a warning.
        failed: Checks that failed and block.
        signer: The key that signed it.
    """

    accepted: bool
    passed: tuple[str, ...]
    warned: tuple[str, ...]
    failed: tuple[str, ...]
    signer: str


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of a process.

    Attributes:
        signing: Private key that signs packages when they are saved; None: they are not signed.
        trusted: Public keys, one of which must have signed a package that is loaded; empty:
            signatures are not verified.
    """

    signing: EllipticCurvePrivateKey | None = None
    trusted: tuple[TrustedKey, ...] = ()

    def sign(self, folder: Path | UPath) -> bool:
        """Sign the package in a folder; return whether there is a key to sign with."""
        if self.signing is not None:
            sign_package(folder, self.signing)
        return self.signing is not None


def fingerprint(key: EllipticCurvePublicKey) -> str:
    """Return the SHA-256 of a public key as PEM, in hexadecimal."""
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return sha256(key.public_bytes(serialization.Encoding.PEM, kind)).hexdigest()


def signing_key(
    given: str, password: str | None = None, home: Path = Path()
) -> EllipticCurvePrivateKey:
    """Return a private key.

    Args:
        given: Its text (PEM), or the path or URL of its file.
        password: Password of an encrypted key.
        home: Folder that a relative path is relative to.

    Raises:
        SettingsError: If it cannot be read, or is no EC key of a curve in `CURVES`.
    """
    name, data = _pem(given, "private key", home)
    secret = None if password is None else password.encode()
    try:
        key = serialization.load_pem_private_key(data, secret)
    except (TypeError, ValueError) as error:  # the texts hold nothing of the key
        raise SettingsError(f"{name} is no private key that can be read ({error}).") from error
    return _supported(key, name, EllipticCurvePrivateKey)


def trusted_keys(given: Iterable[str | Path], home: Path = Path()) -> tuple[TrustedKey, ...]:
    """Return public keys.

    Args:
        given: Texts (PEM), or paths or URLs of files, each with one key or several.
        home: Folder that relative paths are relative to.

    Raises:
        SettingsError: If there is none, one cannot be read, or is no EC key of a supported curve.
    """
    found: list[TrustedKey] = []
    for one in given:
        name, data = _pem(str(one), "public key", home)
        begin = b"-----BEGIN"
        for part in data.split(begin)[1:]:
            try:
                key = serialization.load_pem_public_key(begin + part)
            except ValueError as error:
                raise SettingsError(f"{name} holds no public key: {_CREATE}.") from error
            found.append(TrustedKey(name, _supported(key, name, EllipticCurvePublicKey)))
    if not found:
        raise SettingsError(
            f"No trusted key is given, so no signature can be verified: name a file; {_CREATE}."
        )
    return tuple(found)


def sign_package(folder: Path | UPath, key: EllipticCurvePrivateKey) -> None:
    """Write `signature.json` into the folder of a package, which has its manifest.

    Raises:
        CorruptPackageError: If the manifest cannot be read.
    """
    data = (folder / MANIFEST).read_bytes()
    manifest = parse_manifest(UPath(folder), data)
    digests = {name: file.sha256 for name, file in manifest.files.items()}
    digests[MANIFEST] = sha256(data).hexdigest()
    resources = [
        {"name": name, "algorithm": "sha256", "digest": digests[name]} for name in sorted(digests)
    ]
    root = sha256(b"".join(bytes.fromhex(one["digest"]) for one in resources)).hexdigest()
    serialized = {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": False,
        "ignore_paths": [SIGNATURE, VERDICT],
    }
    predicate = {"serialization": serialized, "resources": resources}
    bundle = _signed(key, _OF_PACKAGE, manifest.train_id, root, predicate)
    write_atomically(UPath(folder / SIGNATURE), bundle)


def verify_signature(
    package: UPath, trusted: Sequence[TrustedKey], manifest: bytes | None = None
) -> str:
    """Return the key that has signed the manifest of a package, as a readable text.

    The manifest has the SHA-256 of every other file; see `xingu.registry.manifest.verify`.

    Args:
        package: Folder or URL of the package.
        trusted: Public keys; see `trusted_keys`.
        manifest: Content of its manifest; None: it is read.

    Raises:
        SignatureError: If there is no signature, it is not by a trusted key, or it is that of
            another manifest.
    """
    predicate, signer = _verified(package, SIGNATURE, _OF_PACKAGE, trusted)
    data = manifest_bytes(package) if manifest is None else manifest
    named = {one["name"]: one["digest"] for one in predicate["resources"]}
    if named.get(MANIFEST) != sha256(data).hexdigest():
        raise _refused(package, f"its {SIGNATURE} is that of another {MANIFEST}")
    return signer


def sign_verdict(
    package: UPath, key: EllipticCurvePrivateKey, checks: Mapping[str, str], *, accepted: bool
) -> None:
    """Write `verdict.json` into a package; repeating it replaces the file.

    Args:
        package: Folder or URL of the package.
        key: The private key.
        checks: ``passed``, ``warned`` or ``failed``, by check.
        accepted: Whether the train has passed its blocking checks.
    """
    digest = sha256(manifest_bytes(package)).hexdigest()
    lists = {
        f"{result}Tests": sorted(name for name in checks if checks[name] == result)
        for result in ("passed", "warned", "failed")
    }
    predicate = {"result": "PASSED" if accepted else "FAILED", "configuration": [], **lists}
    write_atomically(package / VERDICT, _signed(key, _OF_CHECKS, MANIFEST, digest, predicate))


def verify_verdict(package: UPath, trusted: Sequence[TrustedKey]) -> Verdict | None:
    """Return the signed result of the checks of a package; None if there is none.

    Raises:
        SignatureError: If it is not by a trusted key, or is that of another package.
    """
    if not (package / VERDICT).exists():
        return None
    predicate, signer = _verified(package, VERDICT, _OF_CHECKS, trusted)
    digest = sha256(manifest_bytes(package)).hexdigest()
    if predicate["digest"] != digest:
        raise _refused(package, f"its {VERDICT} is that of another package")
    passed, warned, failed = (
        tuple(predicate[f"{one}Tests"]) for one in ("passed", "warned", "failed")
    )
    return Verdict(predicate["result"] == "PASSED", passed, warned, failed, signer)


def _pem(given: str, what: str, home: Path) -> tuple[str, bytes]:
    """Return a name and the content of a key that is given as its text or as a path."""
    if given.lstrip().startswith("-----BEGIN"):
        return f"the {what}", given.strip().encode()
    path = UPath(given)
    if local_path(path) is not None:
        path = UPath(home / given)
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        raise SettingsError(f"The {what} {path} cannot be read ({error}); {_CREATE}.") from error


def _supported(key: Any, name: str, kind: type) -> Any:
    curve = key.curve.name if isinstance(key, kind) else type(key).__name__
    if curve not in CURVES:
        raise SettingsError(f"{name} is no EC key of P-256, P-384 or P-521 ({curve}): {_CREATE}.")
    return key


def _signed(
    key: EllipticCurvePrivateKey,
    kind: str,
    subject: str,
    digest: str,
    predicate: Mapping[str, Any],
) -> bytes:
    """Return a bundle with a signed statement about the SHA-256 `digest` of `subject`."""
    statement = {
        "_type": _STATEMENT,
        "subject": [{"name": subject, "digest": {"sha256": digest}}],
        "predicateType": kind,
        "predicate": predicate,
    }
    payload = json.dumps(statement).encode()
    signature = key.sign(_envelope(payload), ECDSA(CURVES[key.curve.name]()))
    hint = fingerprint(key.public_key())
    bundle = {
        "mediaType": _BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": b64encode(payload).decode(),
            "payloadType": _PAYLOAD,
            "signatures": [{"sig": b64encode(signature).decode(), "keyid": ""}],
        },
    }
    return json.dumps(bundle, indent=1).encode()


def _envelope(payload: bytes) -> bytes:
    """Return what is signed: the pre-authentication encoding of DSSE."""
    return b"DSSEv1 %d %b %d %b" % (len(_PAYLOAD), _PAYLOAD.encode(), len(payload), payload)


def _verified(
    package: UPath, file: str, kind: str, trusted: Sequence[TrustedKey]
) -> tuple[dict[str, Any], str]:
    """Return the predicate of a signed statement, with its digest, and the key that signed it."""
    try:
        bundle = json.loads((package / file).read_bytes())
        hint = str(bundle["verificationMaterial"]["publicKey"]["hint"])
        envelope = bundle["dsseEnvelope"]
        payload = b64decode(envelope["payload"], validate=True)
        signature = b64decode(envelope["signatures"][0]["sig"], validate=True)
    except FileNotFoundError as error:
        raise _refused(package, f"it has no {file}") from error
    except (LookupError, TypeError, ValueError) as error:
        raise _refused(package, f"{file} cannot be read ({error!r})") from error
    key = next((one for one in trusted if _is_by(one.public, payload, signature)), None)
    if key is None:
        known = ", ".join(map(str, trusted)) or "none"
        raise _refused(
            package,
            f"no trusted key has signed its {file}, or it was altered (it names the key "
            f"SHA-256 {hint[:16]}; trusted: {known})",
        )
    # From here on the content is what the owner of a trusted key has signed.
    statement = json.loads(payload)
    if (statement["_type"], statement["predicateType"]) != (_STATEMENT, kind):
        raise _refused(package, f"{file} is a statement of another kind")
    digest = statement["subject"][0]["digest"]["sha256"]
    return {**statement["predicate"], "digest": digest}, str(key)


def _is_by(key: EllipticCurvePublicKey, payload: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, _envelope(payload), ECDSA(CURVES[key.curve.name]()))
    except InvalidSignature:
        return False
    return True


def _refused(package: UPath, reason: str) -> SignatureError:
    return SignatureError(
        f"{package} is refused: {reason}. Nothing of it was loaded. Load a package that is signed "
        "with a trusted key; `xingu inventory sign` signs one that you trust.",
        package=str(package),
        reason=reason,
    )
