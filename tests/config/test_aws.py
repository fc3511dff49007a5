"""Values in AWS, on a server of moto."""

import json
import subprocess
import sys

import boto3
import pytest
import requests

from xingu.config import ConfigManager, Settings, aws, read_settings
from xingu.errors import SettingsError
from xingu.masking import masked

pytest_plugins = ["tests.support.services"]

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def stored(aws_url):
    """The server of moto with parameters and secrets."""
    parameters = {"/prod/host": "db.example", "/prod/nested": "{% AWS_PARAM:/prod/host %}/x"}
    store = boto3.client("ssm", endpoint_url=aws_url)
    for name, value in parameters.items():
        store.put_parameter(Name=name, Value=value, Type="String")
    store.put_parameter(Name="/prod/password", Value=PASSWORD, Type="SecureString")
    secrets = boto3.client("secretsmanager", endpoint_url=aws_url)
    secrets.create_secret(Name="url", SecretString=f"postgresql://u:{PASSWORD}@h/db")
    secrets.create_secret(
        Name="login", SecretString=json.dumps({"user": "u", "password": PASSWORD, "port": 5432})
    )
    secrets.create_secret(Name="generated", SecretString="x{%y3")
    secrets.create_secret(Name="binary", SecretBinary=b"x")
    return aws_url


@pytest.fixture(autouse=True)
def on_the_server(stored, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", stored)


def test_parameters_and_secrets_make_up_a_setting(monkeypatch, project):
    monkeypatch.setenv("STAGE", "prod")
    (project / ".env").write_text(
        "DATABASES=a|postgresql://{% AWS_SECRET:login#user %}:{% AWS_PARAM:/{% STAGE %}/password %}"
        "@{%AWS_PARAM:/prod/nested%}|b|{% AWS_SECRET:url %}\n"
    )
    urls = Settings.load().databases
    assert urls["a"].get_secret_value() == f"postgresql://u:{PASSWORD}@db.example/x"
    assert urls["b"].get_secret_value() == f"postgresql://u:{PASSWORD}@h/db"


def test_a_value_from_aws_is_hidden_in_every_text():
    assert ConfigManager.get("AWS_PARAM:/prod/host") == "db.example"
    assert "db.example" not in masked("no route to db.example")
    assert ConfigManager.get("AWS_SECRET:login#port", cast=int) == 5432
    assert PASSWORD not in masked(f"refused: {PASSWORD}")


def test_a_generated_password_may_have_the_mark_of_a_placeholder():
    ConfigManager.set_cache("OF_MY_OWN", "<{% AWS_SECRET:generated %}>")
    assert ConfigManager.get("OF_MY_OWN") == "<x{%y3>"


def test_a_value_is_read_once_by_a_process_unless_it_is_forgotten(monkeypatch):
    assert ConfigManager.get("AWS_SECRET:url").startswith("postgresql")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert ConfigManager.get("AWS_SECRET:url").startswith("postgresql")
    ConfigManager.set_cache("AWS_SECRET:url", ConfigManager.undefined)
    monkeypatch.setattr(aws, "SECONDS", 1)
    with pytest.raises(SettingsError, match=r"AWS_SECRET:url: secretsmanager:GetSecretValue could"):
        ConfigManager.get("AWS_SECRET:url")


@pytest.mark.parametrize(
    ("placeholder", "reason"),
    [
        (
            "AWS_PARAM:/nowhere",
            "AWS has no such parameter or secret; .*ParameterNotFound",
        ),
        ("AWS_SECRET:nowhere", "AWS has no such parameter or secret; .*ResourceNotFoundException"),
        ("AWS_SECRET:binary", "'binary' is binary; store it as text"),
        ("AWS_SECRET:login#nowhere", "'login' has no key 'nowhere'"),
        ("AWS_SECRET:url#user", "'url' is no JSON object, so it has no key 'user'"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_the_setting(monkeypatch, placeholder, reason):
    monkeypatch.setenv("XINGU_DB_URL", f"postgresql://u:s3cr3t@{{% {placeholder} %}}/x")
    problem = read_settings().problems["XINGU_DB_URL"]
    assert problem.endswith(f"(XINGU_DB_URL → {placeholder}).")
    with pytest.raises(SettingsError, match=f"XINGU_DB_URL: .*{reason}") as caught:
        Settings.load()
    assert "s3cr3t" not in str(caught.value)


@pytest.fixture(scope="module")
def unprivileged_key(stored):
    """The access key of a user without permissions."""
    iam = boto3.client("iam", endpoint_url=stored)
    iam.create_user(UserName="unprivileged")
    return iam.create_access_key(UserName="unprivileged")["AccessKey"]


@pytest.fixture
def denied(stored, unprivileged_key, monkeypatch):
    """The server refuses what no policy allows; the secret key of its caller."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", unprivileged_key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", unprivileged_key["SecretAccessKey"])
    requests.post(f"{stored}/moto-api/reset-auth", data=b"0", timeout=10).raise_for_status()
    yield unprivileged_key["SecretAccessKey"]
    requests.post(f"{stored}/moto-api/reset-auth", data=b"inf", timeout=10).raise_for_status()


@pytest.mark.parametrize(
    ("placeholder", "action"),
    [
        ("AWS_PARAM:/prod/password", "ssm:GetParameter"),
        ("AWS_SECRET:url", "secretsmanager:GetSecretValue"),
    ],
)
def test_a_denied_call_names_the_setting_and_the_action_to_allow(
    denied, monkeypatch, placeholder, action
):
    monkeypatch.setenv("DATABASES", f"a|{{% {placeholder} %}}")
    with pytest.raises(SettingsError, match=f"DATABASES: access is denied; allow {action} ") as got:
        Settings.load()
    assert denied not in str(got.value)


def test_without_a_region_the_error_says_what_to_set(monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PLOTS_PATH", "{% AWS_PARAM:/prod/host %}")
    with pytest.raises(SettingsError, match="PLOTS_PATH: .*region.*check AWS_DEFAULT_REGION"):
        Settings.load()


def test_without_boto3_the_error_names_the_setting_and_the_extra(monkeypatch):
    monkeypatch.setattr("xingu.extras.find_spec", lambda name: None)
    monkeypatch.setenv("PLOTS_PATH", "{% AWS_PARAM:/prod/host %}")
    with pytest.raises(SettingsError, match=r"PLOTS_PATH: not installed: boto3; .*core\[aws\]"):
        Settings.load()


def test_boto3_is_not_imported_where_no_placeholder_needs_it():
    code = "import sys; from xingu.config import Settings; Settings.load(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not {"boto3", "botocore"} & set(done.stdout.decode().split())
