import pytest
from skopt.space import Categorical, Integer, Real

from tests.tuning.toys import untuned
from xingu.errors import DeclarationError
from xingu.tuning.space import parse_space

SKOPT = {
    "depth": Integer(2, 9),
    "rate": Real(0.01, 1.0),
    "l2": Real(1e-6, 10.0, prior="log-uniform"),
    "kind": Categorical(["gbdt", "dart"]),
}
OF_2_0 = {
    "depth": ("int", {"low": 2, "high": 9}),
    "rate": ("uniform", {"low": 0.01, "high": 1.0}),
    "l2": ("loguniform", {"low": 1e-6, "high": 10.0}),
    "kind": ("categorical", {"choices": ["gbdt", "dart"]}),
}


def test_both_forms_declare_the_same_space():
    assert parse_space(SKOPT, "dp") == parse_space(OF_2_0, "dp")


def test_float_and_uniform_are_the_same():
    both = [
        parse_space({"a": (kind, {"low": 0, "high": 1})}, "dp") for kind in ("float", "uniform")
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize("declared", [SKOPT, OF_2_0], ids=["skopt", "2.0"])
def test_values_are_plain_and_inside_and_come_back_from_their_position(declared):
    for dimension in parse_space(declared, "dp").values():
        for position in (0, 0.3, 0.7, 1):
            value = dimension.at(position)
            assert type(value) in (int, float, str)
            assert dimension.contains(value)
            assert dimension.at(dimension.position(value)) == pytest.approx(value)


def test_a_step_is_kept():
    space = parse_space({"a": ("int", {"low": 10, "high": 50, "step": 20})}, "dp")
    assert {space["a"].at(number / 20) for number in range(21)} == {10, 30, 50}


def test_choices_that_json_changes_are_restored():
    space = parse_space({"layers": ("categorical", {"choices": [(5, 5), (9,)]})}, "dp")
    assert space["layers"].restore([9]) == (9,)


@pytest.mark.parametrize(
    ("dimension", "says"),
    [
        (("int", {"low": 5, "high": 5}), "5 to 5 is empty"),
        (("float", {"low": 2, "high": 1}), "2 to 1 is empty"),
        (("categorical", {"choices": []}), "no values to choose"),
        (("loguniform", {"low": 0, "high": 1}), "must begin above 0"),
        (("flaot", {"low": 0, "high": 1}), "no kind 'flaot'.*Did you mean 'float'"),
        (("int", {"low": 0.5, "high": 3}), "0.5 is not an integer"),
        (("int", {"low": 0}), "needs both low and high"),
        (("int", {"lo": 0, "high": 3}), "write .'int', dict.low=…"),
        ("abc", "is not a dimension"),
    ],
)
def test_what_cannot_be_searched_is_an_error_that_says_where_before_the_first_trial(
    dimension, says
):
    model = untuned(estimator_hyperparams_search_space={"x": dimension})
    with pytest.raises(DeclarationError, match=rf"hills.*search_space\['x'\].*{says}"):
        model.hyperparam_optimize()
    assert model.log.trials == []
