"""A target that lists keys takes signed packages only, and looks before anything is unpickled."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from xingu.deploy.execute import execute
from xingu.deploy.plan import make_plan
from xingu.errors import DeployRefusedError, XinguError


@pytest.fixture
def key(project):
    """A key that signs what is saved; staging trusts it."""
    private = ec.generate_private_key(ec.SECP256R1())
    secret = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (project.home / "key.pem").write_bytes(secret)
    (project.home / "trusted.pem").write_bytes(public)
    project.set(SIGNING_KEY="key.pem", DEPLOY_TRUSTED_KEYS__STAGING="trusted.pem")


@pytest.mark.usefixtures("key")
def test_a_signed_package_is_deployed_and_the_plan_names_the_signer(project):
    project.train("first")
    done = project.deploy()
    assert "trusted.pem" in str(done.plan.signer)
    assert project.served() == "first"


@pytest.mark.usefixtures("key")
def test_an_unsigned_package_is_refused(project):
    project.monkeypatch.delenv("SIGNING_KEY")
    project.train("first")
    with pytest.raises(DeployRefusedError, match="signature"):
        project.deploy()


@pytest.mark.usefixtures("key")
def test_a_package_of_another_key_is_refused(project):
    project.train("first")
    (project.home / "trusted.pem").rename(project.home / "old.pem")
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    (project.home / "trusted.pem").write_bytes(
        other.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    with pytest.raises(DeployRefusedError):
        project.deploy()


@pytest.mark.usefixtures("key")
def test_a_manifest_that_is_changed_on_the_way_is_not_served(project):
    project.train("first")
    route = project.route()
    plan = make_plan(route, "houses")
    manifest = route.source.models.package("houses", "first") / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"ada"', b'"eve"'))
    with pytest.raises(XinguError):
        execute(route, plan)
    assert project.served() is None
