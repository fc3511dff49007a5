"""The train that a target served at a time, read from its ledger, and damaged ledgers."""

from datetime import UTC, datetime, timedelta

from xingu.deploy.history import in_production


def test_it_tells_what_was_served_when_and_who_did_it(project):
    before = datetime.now(UTC)
    times = {}
    for name in ("first", "second"):
        project.train(name)
        project.deploy()
        times[name] = datetime.now(UTC)
    project.deploy(train_id="first")
    target = project.workspace.target("staging")
    found = {
        moment: [(one.train_id, one.action) for one in in_production(target, "staging", at)]
        for moment, at in {"before": before - timedelta(seconds=1), **times, "now": None}.items()
    }
    assert found == {
        "before": [],
        "first": [("first", "deploy")],
        "second": [("second", "deploy")],
        "now": [("first", "rollback")],
    }
    [now] = in_production(target, "staging")
    assert (now.user, now.replaced, now.comment, now.faults) == ("ada", "second", "because", ())


def test_a_changed_entry_of_the_ledger_is_reported(project):
    for name in ("first", "second"):
        project.train(name)
        project.deploy()
    target = project.workspace.target("staging")
    entry = target.models.folder("houses") / "history" / "0000000001.json"
    other = target.models.folder("houses") / "history" / "0000000002.json"
    entry.write_bytes(other.read_bytes())
    [found] = in_production(target, "staging")
    assert found.train_id == "second"
    assert found.faults


def test_the_history_of_a_train_with_a_damaged_entry_shows_the_damage(project):
    project.train("first")
    project.deploy()
    target = project.workspace.target("staging")
    entry = target.models.folder("houses") / "history" / "0000000001.json"
    entry.write_bytes(b"")
    [found] = in_production(target, "staging")
    assert (found.train_id, found.since) == ("first", None)
    assert found.faults[0].startswith(f"{entry} is damaged (Invalid JSON: EOF while parsing")
