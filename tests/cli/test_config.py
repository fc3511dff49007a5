import json

import boto3
import pytest

from xingu.config import ConfigManager, Settings, aws
from xingu_dagster.engine import environment


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty project, which is the current folder."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.setattr(ConfigManager, "cache", {})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def document(call, home):
    """Call the command with `--json`; gives the exit code, and the document by variable."""

    def document(*arguments):
        code, output, errors = call("config", "--json", *arguments)
        content = json.loads(output)
        assert errors == ""
        rows = {row["variable"]: row for row in content["settings"]}
        return code, rows, content

    return document


def test_every_setting_is_shown_in_its_group_and_fits_a_terminal(output_of, home):
    lines = output_of("config").splitlines()
    for field in Settings.model_fields.values():
        assert any(line.split()[:1] == [field.alias] for line in lines)
    titles = [line.strip() for line in lines]
    assert titles.index("Train") < titles.index("Parallelism")
    assert max(map(len, lines)) <= 80


def test_each_value_has_its_origin_and_its_default(document, home, monkeypatch):
    (home / ".env").write_text("PLOTS_PATH=from-file\nSAVE_SETS=no\n")
    monkeypatch.setenv("SAVE_SETS", "yes")
    ConfigManager.set_cache("XINGU_KEEP_VALUES", 7)
    code, rows, content = document()
    assert (code, content["version"], content["home"]) == (0, 1, str(home))
    found = {name: (row["value"], row["origin"], row["default"]) for name, row in rows.items()}
    assert found["PLOTS_PATH"] == ("from-file", ".env", "plots")
    assert found["SAVE_SETS"] == (True, "environment", "true")
    assert found["XINGU_KEEP_VALUES"] == (7, "command line", "3")
    assert found["TRAINED_MODELS_PATH"] == ("models", "default", "models")
    assert set(rows) == {field.alias for field in Settings.model_fields.values()}


def test_secrets_are_masked(call, document, monkeypatch):
    monkeypatch.setenv("DATABASES", "a|postgresql://ana:tr0ub4dor@h/db")
    monkeypatch.setenv("XINGU_DB_URL", "postgresql://ana:tr0ub4dor@h/control")
    monkeypatch.setenv("PLOTS_PATH", "s3://key:tr0ub4dor@bucket/plots")
    monkeypatch.setenv("ESTIMATOR_PARAMS", '{"api_key": "tr0ub4dor", "depth": 3}')
    _, rows, content = document()
    assert rows["DATABASES"]["value"] == {"a": "postgresql://***@h/db"}
    assert rows["ESTIMATOR_PARAMS"]["value"] == {"api_key": "***", "depth": 3}
    for arguments in (["config"], ["config", "--describe"]):
        _, output, errors = call(*arguments)
        assert "postgresql://***@h/db" in output
        assert "tr0ub4dor" not in output + errors + json.dumps(content)


def test_what_comes_from_aws_is_said_and_masked(document, aws_url, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    aws.forget()
    store = boto3.client("ssm", endpoint_url=aws_url)
    store.put_parameter(Name="/bucket", Value="tr0ub4dor", Type="SecureString", Overwrite=True)
    monkeypatch.setenv("BUCKET", "{% AWS_PARAM:/bucket %}")
    monkeypatch.setenv("PLOTS_PATH", "s3://{% BUCKET %}/plots")
    _, rows, _ = document()
    assert (rows["PLOTS_PATH"]["value"], rows["PLOTS_PATH"]["aws"]) == ("s3://***/plots", True)
    assert [name for name, row in rows.items() if row["aws"]] == ["PLOTS_PATH"]


def test_invalid_settings_are_listed_and_the_others_are_shown(call, document, monkeypatch):
    monkeypatch.setenv("SAVE_SETS", "perhaps")
    monkeypatch.setenv("PLOTS_PATH", "{% NOWHERE_X %}")
    monkeypatch.setenv("TRAINED_MODELS_PATH", "elsewhere")
    code, rows, _ = document()
    assert code == 1
    assert rows["TRAINED_MODELS_PATH"]["value"] == "elsewhere"
    invalid = {name: row["problem"] for name, row in rows.items() if row["problem"]}
    assert invalid["SAVE_SETS"] == "it must be true, false, yes, no, 1, 0, on or off"
    assert invalid["PLOTS_PATH"].startswith("NOWHERE_X is not set")
    assert rows["SAVE_SETS"]["value"] is None
    code, output, _ = call("config")
    assert code == 1
    assert "Invalid settings" in output
    assert "elsewhere" in output


def test_single_settings_are_described(call, output_of, home):
    output = output_of("config", "plots_path")
    assert "Folder or URL of the plots." in output
    assert "--plots-path" in output
    assert "SAVE_SETS" not in output
    code, _, errors = call("config", "PLOTZ_PATH")
    assert code == 2
    assert "Did you mean 'PLOTS_PATH'?" in errors


def test_misspelt_names_and_settings_of_dvc_are_pointed_out(document, home, monkeypatch):
    (home / ".env").write_text("TRAINED_MODEL_PATH=x\nDVC_TRAINED_MODELS_PATH=y\n")
    monkeypatch.setenv("plots_path", "x")
    _, _, content = document()
    assert content["notes"] == [
        "TRAINED_MODEL_PATH (.env) is no setting of Xingu. Did you mean TRAINED_MODELS_PATH?",
        "plots_path (environment) is no setting of Xingu. Did you mean PLOTS_PATH?",
        "DVC_TRAINED_MODELS_PATH: Xingu no longer uses DVC. Every train is stored under a name of "
        "its own and never overwritten; remove what is set for DVC.",
    ]


@pytest.mark.parametrize(
    ("dagster_yaml", "started_with", "reason"),
    [
        ("storage: {module: xingu_dagster.engine.storage}", "/proc/self/environ", None),
        ("storage: {}", "/proc/self/environ", "does not name Xingu's storage"),
        ("storage: {module: xingu_dagster.engine.storage}", "/nowhere", "only on Linux"),
    ],
)
def test_where_dagster_would_let_the_file_win_a_note_says_so(
    document, home, monkeypatch, dagster_yaml, started_with, reason
):
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setattr(environment, "STARTED_WITH", type(home)(started_with))
    (home / "dagster.yaml").write_text(dagster_yaml)
    (home / ".env").write_text("PLOTS_PATH=from-file\nOF_MY_OWN=x\n")
    assert document()[2]["notes"] == []
    monkeypatch.setenv("PLOTS_PATH", "from-environment")
    notes = document()[2]["notes"]
    assert [note.partition(":")[0] for note in notes] == (["PLOTS_PATH"] if reason else [])
    assert all(str(reason) in note for note in notes)
    (home / ".env").write_text("PLOTS_PATH=${PLOTS_PATH:-from-file}\n")
    assert document()[2]["notes"] == []
