"""Policies: shortcuts, and errors that are reported all at once."""

import pytest

from xingu.automation.policy import parse_batch_policy, parse_policy
from xingu.errors import DeclarationError


def told(declared, **given):
    with pytest.raises(DeclarationError) as error:
        parse_policy("houses", declared, **given)
    return str(error.value).splitlines()


def test_no_policy_is_declared_by_none():
    assert parse_policy("houses", None) is None


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("on_new_data", {"when": {"new_data": True}}),
        ("with_pre_reqs", {"when": {"pre_reqs": True}}),
        ("on_drift", {"when": {"drift": True}}),
        ("0 3 * * *", {"when": {"cron": "0 3 * * *"}, "how": "last"}),
        (["on_new_data", "@daily"], {"when": {"new_data": {}, "cron": "@daily"}}),
        ({"when": "on_new_data"}, {"when": {"new_data": {}}, "then": "replace"}),
    ],
)
def test_a_shortcut_means_the_same_as_its_long_form(short, long):
    assert parse_policy("houses", short) == parse_policy("houses", long)


def test_durations_are_seconds_or_texts():
    policy = parse_policy("houses", {"when": {"new_data": {"min_interval": "6h", "debounce": 90}}})
    assert policy is not None
    assert policy.when.new_data is not None
    assert (policy.when.new_data.min_interval, policy.when.new_data.debounce) == (21600, 90)


def test_all_errors_are_reported_at_once_with_hints():
    errors = told(
        {
            "when": {"new_data": {"min_row": 5, "debounce": "10 minutes"}, "cron": "0 3 * *"},
            "how": "again",
            "then": "replce",
            "limitz": {},
        }
    )
    assert len(errors) == 6
    text = "\n".join(errors)
    assert "Did you mean 'min_new_rows'?" in text
    assert "Did you mean 'limits'?" in text
    assert "houses.retrain['when']['cron'] is '0 3 * *': it is no cron string" in text


def test_a_misspelt_shortcut_gets_a_hint():
    assert told("on_new_dta")[0].endswith("Did you mean 'on_new_data'?")


@pytest.mark.parametrize("declared", [[], {"when": {}}, {"when": {"pre_reqs": False}}])
def test_a_policy_needs_a_reason(declared):
    assert "has no reason" in told(declared)[0]


def test_reasons_that_can_never_happen_are_refused():
    errors = told(["with_pre_reqs", "on_drift"], pre_reqs=False, batch=False)
    assert ["declare pre_req" in errors[0], "declare batch_predict" in errors[1]] == [True, True]


def test_the_batch_follows_the_model_too_and_has_no_way_to_train():
    policy = parse_batch_policy("houses", "on_new_data", batch=True)
    assert policy is not None
    assert policy.when.pre_reqs
    with pytest.raises(DeclarationError, match=r"\['then'\] is for retrain"):
        parse_batch_policy("houses", {"when": "on_new_data", "then": "replace"}, batch=True)


def test_a_policy_is_described_in_words():
    policy = parse_policy(
        "houses",
        {"when": {"new_data": {"min_new_rows": 500}}, "how": {"search_every": 5}, "then": "deploy"},
    )
    text = str(policy)
    assert "its sources have new data (at least 500 new rows)" in text
    assert "search for hyperparameters in each 5th train" in text
    assert "deployed to the first target" in text
