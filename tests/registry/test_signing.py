"""Signed packages: what is refused before anything of it is unpickled, and what is accepted."""

import json
import shutil
import sys
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from upath import UPath

from tests.support.fitted import save_model
from tests.support.keys import write_keys
from tests.support.toys import Houses, Taxes, houses
from xingu.config import Settings
from xingu.errors import (
    CorruptPackageError,
    MissingExtraError,
    SettingsError,
    SignatureError,
    UntrainedModelError,
)
from xingu.registry.audit import audit, sign_train, sign_verdict
from xingu.registry.manifest import MANIFEST, SIGNATURE, VERDICT
from xingu.registry.signing import Keys, signing_key, trusted_keys, verify_signature, verify_verdict
from xingu.registry.store import ModelStore
from xingu.workspace import Workspace

ROWS = houses(5).assign(estimated_price=300.0)


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return write_keys(tmp_path_factory.mktemp("keys"), "ours")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    return write_keys(tmp_path_factory.mktemp("keys"), "theirs")


@pytest.fixture(scope="module")
def saved(tmp_path_factory, ours):
    """A storage with `taxes`, whose package has that of `houses`; both are signed."""
    store = ModelStore(tmp_path_factory.mktemp("models"), keys=ours.keys())
    save_model(Houses, store, "first")
    save_model(Taxes, store, "second", houses="first")
    sign_verdict(store, store.manifest("taxes", "second"), {"model/a": "passed"}, accepted=True)
    return store


@pytest.fixture
def models(saved, tmp_path, ours):
    """A copy of the storage that can be changed; it trusts our key."""
    shutil.copytree(saved.root, tmp_path / "models")
    return ModelStore(tmp_path / "models", keys=ours.keys())


@pytest.fixture
def unpickled(monkeypatch):
    """The packages of which a part was read."""
    found = []
    monkeypatch.setattr("xingu.registry.packages._load_parts", lambda *args: found.append(args))
    return found


def files_of(models, dp_id="taxes", train_id="second"):
    return sorted(models.manifest(dp_id, train_id).files)


def package_of(models):
    return models.package("taxes", "second")


def test_a_signed_package_is_loaded_with_its_signer_and_digest(models, ours):
    model = models.load("taxes", "second")
    data = (package_of(models) / MANIFEST).read_bytes()
    assert model.signer.startswith("ours.pub.pem (SHA-256 ")
    assert model.package_sha256 == sha256(data).hexdigest()
    assert len(model.predict(ROWS)) == 5
    inner = model.dp.pre_req_model["houses"]
    assert inner.signer == model.signer


def test_every_file_that_is_altered_is_refused(models, unpickled):
    own = [name for name in files_of(models) if not name.startswith("pre_reqs/")]
    assert len(own) > 3
    for name in own:
        path = package_of(models).joinpath(*name.split("/"))
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]) if good else b"x")
        with pytest.raises(CorruptPackageError, match="Nothing was loaded"):
            models.load("taxes", "second")
        path.write_bytes(good)
    assert unpickled == []


def test_an_altered_file_with_a_manifest_that_fits_is_refused(models, unpickled):
    package = package_of(models)
    (package / "provider_state.pkl").write_bytes(b"evil")
    text = (package / MANIFEST).read_text()
    digest = models.manifest("taxes", "second").files["provider_state.pkl"].sha256
    changed = json.loads(text.replace(digest, sha256(b"evil").hexdigest()))
    changed.pop("digest")  # a forged entry with a valid format
    (package / MANIFEST).write_text(json.dumps(changed))
    assert models.manifest("taxes", "second").files["provider_state.pkl"].sha256 != digest
    with pytest.raises(SignatureError, match="that of another manifest.json"):
        models.load("taxes", "second")
    assert unpickled == []


def test_an_altered_prerequisite_is_refused_when_it_is_used(models):
    nested = package_of(models) / "pre_reqs" / "houses"
    model = models.load("taxes", "second")
    (nested / "provider_state.pkl").write_bytes(b"evil")
    with pytest.raises(CorruptPackageError, match="provider_state"):
        model.dp.pre_req_model["houses"]


def test_a_signed_package_in_the_place_of_a_prerequisite_is_refused(models):
    model = models.load("taxes", "second")
    nested = package_of(models) / "pre_reqs" / "houses"
    for name in (MANIFEST, SIGNATURE):
        (nested / name).write_bytes((package_of(models) / name).read_bytes())
    with pytest.raises(CorruptPackageError, match=r"manifest\.json is not what was saved"):
        model.dp.pre_req_model["houses"]


def test_a_file_that_the_manifest_does_not_name_is_not_used(models, tmp_path):
    module = files_of(models)
    assert not any(name.startswith("classes.pkl") for name in module)
    mark = tmp_path / "executed"
    for name in ("classes.pkl", "estimator/extra.pkl", "code/evil.py"):
        path = package_of(models).joinpath(*name.split("/"))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"cposix\nsystem\n(S'touch %s'\ntR." % str(mark).encode())
    models.load("taxes", "second").predict(ROWS)
    assert not mark.exists()


def test_a_package_without_signature_is_refused(models, unpickled):
    (package_of(models) / SIGNATURE).unlink()
    with pytest.raises(SignatureError, match="it has no signature.json"):
        models.load("taxes", "second")
    assert unpickled == []


def test_the_signature_of_another_package_is_refused(models):
    other = models.package("houses", "first") / SIGNATURE
    (package_of(models) / SIGNATURE).write_bytes(other.read_bytes())
    with pytest.raises(SignatureError, match="that of another manifest.json"):
        models.load("taxes", "second")


def test_a_signed_package_under_the_name_of_another_train_is_refused(models):
    shutil.copytree(package_of(models).path, models.package("taxes", "third").path)
    with pytest.raises(CorruptPackageError, match=r"is that of taxes/second"):
        models.load("taxes", "third")


def test_a_verdict_is_no_signature_of_a_package(models):
    package = package_of(models)
    (package / SIGNATURE).write_bytes((package / VERDICT).read_bytes())
    with pytest.raises(SignatureError, match="statement of another kind"):
        models.load("taxes", "second")


def test_a_key_that_is_not_trusted_is_refused_and_the_trusted_ones_are_named(models, theirs):
    trusting = ModelStore(models.root, keys=theirs.keys())
    with pytest.raises(SignatureError, match=r"no trusted key .*trusted: theirs\.pub\.pem"):
        trusting.load("taxes", "second")


def test_one_of_several_trusted_keys_is_enough(models, ours, theirs):
    both = ModelStore(models.root, keys=theirs.keys(theirs, ours))
    assert both.load("taxes", "second").signer.startswith("ours")


@pytest.mark.parametrize("part", ["payload", "sig"])
def test_every_altered_byte_of_a_signature_is_refused(models, ours, part):
    path = package_of(models) / SIGNATURE
    bundle = json.loads(path.read_bytes())
    envelope = bundle["dsseEnvelope"]
    place = envelope if part == "payload" else envelope["signatures"][0]
    good = b64decode(place[part])
    for position in range(0, len(good), 1 if part == "sig" else 97):
        flipped = bytearray(good)
        flipped[position] ^= 1
        place[part] = b64encode(bytes(flipped)).decode()
        path.write_text(json.dumps(bundle))
        with pytest.raises(SignatureError):
            verify_signature(package_of(models), ours.keys().trusted)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"dsseEnvelope": 1}'])
def test_a_signature_that_cannot_be_read_is_refused(models, content):
    (package_of(models) / SIGNATURE).write_bytes(content)
    with pytest.raises(SignatureError, match="cannot be read"):
        models.load("taxes", "second")


def test_without_trusted_keys_signed_and_unsigned_packages_are_loaded(models, ours):
    plain = ModelStore(models.root)
    assert plain.load("taxes", "second").signer is None
    (package_of(models) / SIGNATURE).unlink()
    assert len(plain.load("taxes", "second").predict(ROWS)) == 5


@pytest.mark.parametrize("curve", [ec.SECP384R1, ec.SECP521R1])
def test_other_curves_of_nist_sign_too(models, tmp_path, curve):
    store = ModelStore(models.root, keys=write_keys(tmp_path, "long", curve).keys())
    sign_train(store, "houses", "first")
    assert store.load("houses", "first").signer.startswith("long")


def test_a_damaged_train_is_not_signed(models):
    (package_of(models) / "provider_state.pkl").write_bytes(b"evil")
    with pytest.raises(CorruptPackageError, match="provider_state"):
        sign_train(models, "taxes", "second")


def test_a_storage_without_a_key_signs_nothing_and_says_so(models):
    with pytest.raises(SettingsError, match="set SIGNING_KEY"):
        sign_train(ModelStore(models.root), "taxes", "second")


# -- keys -----------------------------------------------------------------------------------------


def test_a_key_may_be_given_as_text(ours, models):
    text = ours.public.read_text()
    both = trusted_keys([text + write_keys(ours.public.parent, "more").public.read_text()])
    assert len(both) == 2
    assert verify_signature(package_of(models), both).startswith("the public key")


def test_an_encrypted_key_needs_its_password(tmp_path):
    files = write_keys(tmp_path, "hidden", password=b"sesame-street")
    assert signing_key(str(files.private), "sesame-street")
    for wrong in (None, "sesame"):
        with pytest.raises(SettingsError, match=r"hidden\.pem is no private key that can be read"):
            signing_key(str(files.private), wrong)


def test_keys_that_cannot_be_used_are_refused_with_the_command_that_makes_one(tmp_path, ours):
    old = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    files = write_keys(tmp_path, "old", old)
    bitcoin = write_keys(tmp_path, "coin", ec.SECP256K1)
    for use in (
        lambda: signing_key(str(files.private)),
        lambda: signing_key(str(bitcoin.private)),
        lambda: trusted_keys([files.public]),
        lambda: trusted_keys([ours.private]),
        lambda: trusted_keys([]),
        lambda: trusted_keys([tmp_path / "none.pem"]),
        lambda: signing_key(str(tmp_path / "none.pem")),
    ):
        with pytest.raises(SettingsError, match="openssl genpkey"):
            use()


# -- verdicts -------------------------------------------------------------------------------------


def test_a_verdict_names_the_checks_and_its_signer(models, ours):
    checks = {"model/a": "passed", "model/b": "warned", "model/c": "failed"}
    sign_verdict(models, models.manifest("taxes", "second"), checks, accepted=False)
    verdict = verify_verdict(package_of(models), ours.keys().trusted)
    assert verdict is not None
    assert (verdict.accepted, verdict.passed, verdict.warned, verdict.failed) == (
        *(False, ("model/a",), ("model/b",), ("model/c",)),
    )
    assert verdict.signer.startswith("ours")


def test_the_verdict_of_another_package_is_refused(models, ours):
    other = models.package("houses", "first")
    (other / VERDICT).write_bytes((package_of(models) / VERDICT).read_bytes())
    with pytest.raises(SignatureError, match="verdict.json is that of another package"):
        verify_verdict(other, ours.keys().trusted)
    assert audit(models, "houses", "first").problems == (
        "its verdict.json is that of another package",
    )


def test_a_train_without_a_verdict_has_none(models, ours):
    assert verify_verdict(models.package("houses", "first"), ours.keys().trusted) is None


# -- names that leave the folder ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../../evil", "/etc/passwd", "a/../b", "a//b", "a\\b", "."])
def test_a_manifest_whose_files_leave_the_package_is_refused(models, name):
    path = package_of(models) / MANIFEST
    content = json.loads(path.read_text())
    content.pop("digest", None)
    content["files"][name] = content["files"]["provider_state.pkl"]
    path.write_text(json.dumps(content))
    with pytest.raises(CorruptPackageError, match="leads out of the folder"):
        ModelStore(models.root).load("taxes", "second")


@pytest.mark.parametrize("train_id", ["../trains/second", "..", "", "a/b"])
def test_an_id_of_a_train_that_leaves_its_folder_is_no_train(models, train_id):
    assert not models.has("taxes", train_id)
    with pytest.raises(UntrainedModelError):
        models.find("taxes", train_id=train_id)
    path = package_of(models) / MANIFEST
    content = json.loads(path.read_text())
    content.pop("digest", None)
    path.write_text(json.dumps({**content, "train_id": train_id}))
    with pytest.raises(CorruptPackageError, match="leads out of the folder"):
        models.manifest("taxes", "second")


def test_a_package_on_s3_is_signed_verified_and_refused(s3_url, ours, theirs, tmp_path):
    store = ModelStore(UPath(s3_url) / tmp_path.name, keys=ours.keys())
    save_model(Houses, store)
    assert store.load("houses", "first").signer.startswith("ours")
    with pytest.raises(SignatureError):
        ModelStore(store.root, keys=Keys(trusted=theirs.keys().trusted)).load("houses", "first")


def test_without_the_extra_a_key_in_the_settings_is_an_error_with_the_command_that_installs_it(
    ours, tmp_path, monkeypatch
):
    monkeypatch.delitem(sys.modules, "xingu.registry.signing")
    monkeypatch.setattr("xingu.extras.find_spec", lambda _: None)
    settings = Settings.given(project_home=tmp_path, signing_key=str(ours.private))
    with pytest.raises(MissingExtraError, match=r"run pip install 'xingu-core\[signing\]'\."):
        Workspace(settings).models  # noqa: B018
