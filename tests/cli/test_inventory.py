"""`xingu inventory` as people and programs call it, on a project of trained toys."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.support.trains import packages_of
from xingu.files.sealed import unseal


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Call the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "xingu_dagster.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def write_inventory(past, models) -> None:
    (past.project.home / "inventory.yaml").write_text(yaml.safe_dump({"models": models}))


# -- list and show --------------------------------------------------------------------------------


def test_the_list_has_what_is_current_and_the_history(past, output_of):
    current, history = output_of("inventory").split("History")
    assert past.houses[-1] in current
    assert past.houses[0] not in current
    assert f"with houses {past.houses[-1]}" in current
    assert [train for train in past.houses[::-1] if train in history] == past.houses[::-1]


def test_the_list_fits_a_terminal_of_80_columns_and_breaks_no_name(past, output_of):
    lines = output_of("inventory").splitlines()
    assert max(map(len, lines)) <= 80
    names = [*past.houses, *past.taxes]
    assert [name for name in names if not any(name in line for line in lines)] == []


def test_the_list_is_json_for_programs(past, output_of):
    houses, taxes = json.loads(output_of("inventory", "--json"))
    assert (houses["train_id"], houses["pinned"]) == (past.houses[-1], False)
    assert [entry["train_id"] for entry in taxes["history"]] == past.taxes[::-1]


def test_the_history_is_as_long_as_asked_for(past, output_of):
    houses, taxes = json.loads(output_of("inventory", "--json", "--history", "1"))
    assert (len(houses["history"]), len(taxes["history"])) == (1, 1)


def test_a_pinned_train_is_marked(past, output_of):
    write_inventory(past, {"houses": {"train_id": past.houses[0], "pinned": True}})
    assert f"{past.houses[0]} (pinned)" in output_of("inventory")


def test_everything_of_a_train_is_shown(past, output_of, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    shown = output_of("inventory", "show", f"taxes/{past.taxes[0]}")
    manifest = past.project.models.manifest("taxes", past.taxes[0])
    known = (
        *("LightGBMClassifier", "num_leaves=7", "train=280", "pandas=", "size, estimated_price"),
        *(past.houses[0], "select * from houses", "estimator/booster.txt"),
        *(manifest.run_id, manifest.train_session_id),
        *("train_fit_end", "ROC AUC"),  # from the control DB
    )
    assert [text for text in known if text not in shown] == []


def test_a_train_is_shown_within_80_columns_and_no_text_is_cut(past, output_of):
    shown = output_of("inventory", "show", f"taxes/{past.taxes[0]}")
    assert max(map(len, shown.splitlines())) <= 80
    package = str(past.project.models.package("taxes", past.taxes[0]))
    assert package in "".join(shown.split())


def test_a_train_shows_which_trains_have_it_as_a_prerequisite(past, output_of):
    details = json.loads(output_of("inventory", "show", "--json", past.houses[0]))
    assert details["pre_req_of"] == [{"dataprovider_id": "taxes", "train_id": past.taxes[0]}]


def test_the_metrics_of_a_train_are_numbers_for_programs(past, output_of):
    details = json.loads(output_of("inventory", "show", "--json", past.houses[0]))
    rmse = next(one for one in details["metrics"] if one["metric"] == "RMSE")
    assert rmse["train"] < rmse["val"] < 100


def test_a_query_with_brackets_is_shown_as_it_is(past, output_of, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    path = past.project.models.package("houses", past.houses[0]) / "manifest.json"
    text = unseal(path.read_bytes()).decode()
    path.write_text(text.replace("select * from houses", "select [id], '[/b]'"))
    assert "select [id], '[/b]'" in output_of("inventory", "show", past.houses[0])


@pytest.mark.parametrize("url", ["postgresql://u:secret@127.0.0.1:1/x", "nonsense"])
def test_without_the_control_db_the_package_is_shown_with_a_warning(past, url):
    ended = command("inventory", "show", past.houses[0], XINGU_DB_URL=url)
    assert ended.returncode == 0
    assert "LightGBMRegressor" in ended.stdout
    assert ended.stderr.startswith("Showing only what is in the package: ")
    assert "secret" not in ended.stderr


@pytest.fixture
def forgotten(past):
    """A project whose control DB is gone; its models are there."""
    shutil.rmtree(past.project.home / ".xingu")
    return past


def test_without_a_control_db_file_the_package_is_shown_and_no_file_is_made(forgotten):
    ended = command("inventory", "show", forgotten.houses[0])
    assert ended.returncode == 0
    assert "LightGBMRegressor" in ended.stdout
    assert "train_fit_end" not in ended.stdout
    warning = "Showing only what is in the package: There is no control DB at "
    assert ended.stderr.startswith(warning)
    assert not (forgotten.project.home / ".xingu").exists()


@pytest.mark.parametrize("command", [[], ["export"], ["prune", "--keep", "9"]])
def test_no_other_command_needs_a_control_db_or_makes_one(forgotten, output_of, command):
    output_of("inventory", *command)
    assert not (forgotten.project.home / ".xingu").exists()


# -- pin and export -------------------------------------------------------------------------------


def test_a_pin_is_what_is_current_until_it_is_taken_away(past, output_of):
    said = output_of("inventory", "pin", "houses", past.houses[0])
    assert said.startswith(f"houses: the current train is now {past.houses[0]}, until `xingu ")
    assert past.project.models.find("houses") == past.houses[0]
    listed = output_of("inventory")
    assert f"{past.houses[0]} (pinned)" in listed
    assert "xingu inventory unpin houses" in listed
    said = output_of("inventory", "unpin", "houses")
    assert said == (
        f"houses: {past.houses[0]} is not pinned any more; {past.houses[0]} is current.\n"
    )
    assert "(pinned)" not in output_of("inventory")


def test_show_tells_the_status_of_a_train_and_the_pin(past, output_of):
    output_of("inventory", "pin", "houses", past.houses[1])
    found = [
        json.loads(output_of("inventory", "show", "--json", f"houses/{train}"))["train"]
        for train in past.houses
    ]
    assert [one["status"] for one in found] == ["accepted", "current", "rolled back"]
    assert {one["pinned"] for one in found} == {f"{past.houses[1]} (pinned by xingu inventory pin)"}


def test_a_pin_of_the_storage_does_not_become_one_of_the_file(past, output_of):
    output_of("inventory", "pin", "houses", past.houses[0])
    output_of("inventory", "export")
    written = yaml.safe_load((past.project.home / "inventory.yaml").read_text())
    assert written["models"]["houses"]["train_id"] == past.houses[0]
    assert written["models"]["houses"]["pinned"] is False


def test_a_pin_that_the_inventory_file_overrules_says_so(past, output_of):
    write_inventory(past, {"houses": {"train_id": past.houses[1], "pinned": True}})
    said = output_of("inventory", "pin", "houses", past.houses[0])
    assert f"still loads {past.houses[1]}, because inventory.yaml pins it" in said


def test_an_export_writes_the_file_of_the_project(past, output_of):
    assert "2 DataProviders" in output_of("inventory", "export")
    written = yaml.safe_load((past.project.home / "inventory.yaml").read_text())
    assert written["models"]["taxes"]["pre_reqs"] == {"houses": past.houses[-1]}


def test_an_export_goes_where_it_is_told(past, output_of, tmp_path):
    output_of("inventory", "export", "--path", str(tmp_path / "other.yaml"))
    assert past.houses[-1] in (tmp_path / "other.yaml").read_text()
    assert not (past.project.home / "inventory.yaml").exists()


def test_an_export_can_be_committed(past, output_of, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ana")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ana@example.org")
    git = ["git", "-C", str(past.project.home)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    said = output_of("inventory", "export", "--commit-inventory")
    shown = subprocess.check_output([*git, "show", "--name-only"], text=True)
    assert said.endswith("Not pushed: there is no remote.\n")
    assert f"houses {past.houses[-1]}" in shown
    assert shown.splitlines()[-1] == "inventory.yaml"


def test_an_export_that_cannot_be_committed_is_written_all_the_same(past, call):
    code, _, errors = call("inventory", "export", "--commit-inventory")
    assert code == 1
    assert "is in no git repository" in errors
    assert past.houses[-1] in (past.project.home / "inventory.yaml").read_text()


# -- prune ----------------------------------------------------------------------------------------


def test_a_dry_run_says_what_a_prune_would_remove_and_removes_nothing(past, output_of):
    said = output_of("inventory", "prune", "--keep", "1", "--dry-run")
    assert "Would remove 3 trains" in said
    assert [train in said for train in past.houses] == [True, True, False]
    assert len(packages_of(past.project.models)) == 5


def test_a_prune_removes_what_it_says(past, output_of):
    assert "Removed 3 trains" in output_of("inventory", "prune", "--keep", "1")
    left = {("houses", past.houses[-1]), ("taxes", past.taxes[-1])}
    assert packages_of(past.project.models) == left


def test_a_removed_train_stays_in_the_history_as_one_without_a_package(past, output_of):
    output_of("inventory", "prune", "--keep", "1")
    lines = [line for line in output_of("inventory").splitlines() if "no package" in line]
    gone = [past.houses[1], past.houses[0], past.taxes[0]]
    assert [train in line for train, line in zip(gone, lines, strict=True)] == [True] * 3


def test_a_prune_spares_what_the_inventory_file_pins(past, output_of):
    write_inventory(past, {"taxes": {"train_id": past.taxes[0], "pinned": True}})
    assert "Removed 1 train," in output_of("inventory", "prune", "--keep", "1")
    assert past.project.models.has("houses", past.houses[0])


def test_a_prune_of_new_trains_only_has_nothing_to_remove(past, output_of):
    assert "No train to remove" in output_of("inventory", "prune", "--keep", "3")


def test_a_prune_removes_what_a_killed_run_left_a_day_ago(past, output_of):
    left = past.project.values.root / "houses" / "splits" / ".20260101.0a1b2c3d.tmp"
    left.mkdir()
    (left / "half").write_bytes(b"x")
    for path in (left / "half", left):
        os.utime(path, (1, 1))
    prune = ("inventory", "prune", "--keep", "3")
    assert "Would remove 1 leftover of killed runs" in output_of(*prune, "--dry-run")
    assert left.exists()
    assert "Removed 1 leftover of killed runs" in output_of(*prune)
    assert not left.exists()


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nobody"], "No train is called 'nobody'"),
        (["show", "hauses/nobody"], "Did you mean 'houses'?"),
        (["pin", "hauses", "nobody"], "Did you mean 'houses'?"),
        (["pin", "houses", "nobody"], "No train of 'houses' is called 'nobody'"),
        (["unpin", "hauses"], "Did you mean 'houses'?"),
        (["unpin", "houses"], "No train of 'houses' is pinned"),
    ],
)
def test_what_is_not_known_is_one_line_and_code_1(past, call, arguments, said):
    code, output, errors = call("inventory", *arguments)
    assert (code, output) == (1, "")
    assert errors.startswith("xingu: ")
    assert errors.count("\n") == 1
    assert said in errors


@pytest.mark.parametrize(
    "text", ["<<<<<<< HEAD\nmodels: {}\n=======\n", "models: {houses: {pinned: true}}"]
)
def test_a_damaged_inventory_file_is_one_line_and_code_1(past, call, text):
    (past.project.home / "inventory.yaml").write_text(text)
    for arguments in ((), ("export",), ("prune", "--keep", "1"), ("show", past.houses[0])):
        code, output, errors = call("inventory", *arguments)
        assert (code, output, errors.count("\n")) == (1, "", 1)
        assert "inventory.yaml" in errors


def test_a_train_whose_manifest_is_damaged_is_listed_as_damaged(past, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    manifest = past.project.models.package("houses", past.houses[-1]) / "manifest.json"
    manifest.write_text('{"format": 1}')
    code, output, errors = call("inventory")
    assert (code, errors) == (0, "")
    assert f"houses is damaged: {manifest} cannot be read" in output
    assert past.taxes[-1] in output
    code, _, errors = call("inventory", "show", past.houses[-1])
    assert (code, errors.count("\n")) == (1, 1)
    assert str(manifest) in errors


def test_a_current_train_whose_manifest_is_gone_is_listed_and_shown_as_damaged(
    past, call, output_of, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "400")
    package = past.project.models.package("houses", past.houses[-1])
    (package / "manifest.json").unlink()
    assert f"houses is damaged: {package} has no manifest.json" in output_of("inventory")
    code, _, errors = call("inventory", "show", past.houses[-1])
    assert (code, errors.count("\n")) == (1, 1)
    assert f"{package} has no manifest.json. Restore it, train again" in errors


def test_a_train_is_shown_with_the_files_that_are_missing_or_differ(past, output_of, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    package = past.project.models.package("houses", past.houses[-1])
    assert "Damage" not in output_of("inventory", "show", past.houses[-1])
    (package / "provider_state.pkl").unlink()
    (package / "estimator" / "booster.txt").write_bytes(b"")
    shown = output_of("inventory", "show", past.houses[-1]).split()
    text = " ".join(shown)
    assert "Damage file problem" in text
    assert "provider_state.pkl is missing" in text
    assert "estimator/booster.txt is not what was saved" in text


def test_a_file_that_cannot_be_written_is_one_line_and_code_1(past, call):
    code, _, errors = call("inventory", "export", "--path", "/proc/xingu/inventory.yaml")
    assert (code, errors.count("\n")) == (1, 1)


def test_an_error_of_the_real_command_is_one_line_and_code_1(past):
    ended = command("inventory", "show", past.houses[0][:-1])
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert f"Did you mean '{past.houses[0]}'?" in ended.stderr


def test_where_nothing_was_trained_the_list_says_how_to_begin(output_of, tmp_path, monkeypatch):
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path))
    assert "No model was trained yet" in output_of("inventory")
    assert list(tmp_path.iterdir()) == []


def test_the_command_does_not_import_dagster(past):
    code = "import sys, xingu_dagster.cli.main; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
