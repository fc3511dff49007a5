"""The storage of a target: what lists, finds and prunes trains takes deploys and approvals in."""

from datetime import UTC, datetime

import pytest

from tests.support.trains import save_train
from xingu.maintenance import prunable_trains
from xingu.registry import lifecycle, listing
from xingu.registry.deployment import Deployment
from xingu.registry.store import ModelStore

DP = "houses"


@pytest.fixture
def target(tmp_path):
    """Trains t0 to t4; t0 and t1 were deployed, and t9, which is not there, was approved."""
    models = ModelStore(tmp_path)
    for number in range(5):
        save_train(models, DP, f"t{number}", number=number)
    event(models, "deploy", "t0")
    event(models, "deploy", "t1")
    event(models, "approve", "t9", "bo")
    return models


def event(models, action, train_id, user="ana"):
    def change(before):
        current = (before.current if before else None) if action == "approve" else train_id
        return {"current": current, "pinned": False, "deployment": Deployment(user=user)}

    return models.ledger(DP).append(train_id, f"of-{train_id}", action, change)


def test_an_approval_changes_nothing_of_what_is_found(target):
    assert (target.current(DP), target.find(DP)) == ("t1", "t1")
    assert target.find(DP, as_of=datetime.now(UTC)) == "t1"
    assert lifecycle.status(target, target.manifest(DP, "t1")) == "current"
    assert lifecycle.status(target, target.manifest(DP, "t0")) == "accepted"
    assert target.pin_of(DP) is None


def test_the_history_says_who_deployed_and_an_approved_train_needs_no_package(target):
    records = list(listing.history(target, DP))
    assert [(one["action"], one["train_id"], one["deployment"]["user"]) for one in records] == [
        ("approve", "t9", "bo"),
        ("deploy", "t1", "ana"),
        ("deploy", "t0", "ana"),
    ]
    assert not any(one.get("removed") or one.get("damaged") for one in records)


def test_pruning_keeps_the_current_train_and_the_one_before(target):
    prunable = [one.train_id for one in prunable_trains(target, keep=1)]
    assert prunable == ["t2", "t3"]
    event(target, "rollback", "t0")
    assert [one.train_id for one in prunable_trains(target, keep=1)] == ["t2", "t3"]


def test_a_pin_in_a_target_can_be_taken_away(target):
    lifecycle.pin(target, target.manifest(DP, "t0"))
    assert target.current(DP) == "t0"
    assert lifecycle.unpin(target, DP).current == "t0"


def test_a_deployed_train_that_is_refused_gives_way_to_the_one_before(target):
    lifecycle.refuse(target, target.manifest(DP, "t1"), "quality_gates")
    assert target.current(DP) == "t0"
    assert lifecycle.accept(target, target.manifest(DP, "t4")).current == "t4"
