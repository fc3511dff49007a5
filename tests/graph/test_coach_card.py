"""How a Coach shows itself: its DataProviders, and the Models in memory."""

from tests.support.cards import rows_of
from tests.support.fitted import fit_model
from tests.support.project import coach_of
from tests.support.toys import Houses, Taxes


def test_a_new_coach_shows_its_dataproviders_and_what_they_need(tmp_path):
    coach = coach_of(tmp_path, [Houses, Taxes])
    assert repr(coach) == "<Coach of houses, taxes>"
    assert rows_of(coach) == [
        ["DataProvider", "needs", "batch"], ["houses", "", "yes"], ["taxes", "houses", "yes"]
    ]  # fmt: skip


def test_models_in_memory_are_shown_with_train_time_and_score(tmp_path):
    coach = coach_of(tmp_path, [Houses, Taxes])
    coach.trained["houses"] = model = fit_model(Houses)
    assert repr(coach) == "<Coach of houses, taxes; Models in memory: houses>"
    time = f"{model.trained:%Y-%m-%d %H:%M} UTC"
    score = f"test RMSE {model.scores['test']['RMSE']:.2f}"
    houses = ["houses", "", "yes", "brave-day:calm-fox", time, score]
    assert rows_of(coach)[1:] == [houses, ["taxes", "houses", "yes", "", "", ""]]


def test_models_of_prerequisites_that_are_no_dataproviders_of_the_coach_are_shown(tmp_path):
    coach = coach_of(tmp_path, [Houses])
    coach.trained["older"] = fit_model(Houses)
    assert rows_of(coach)[2][:3] == ["older", "", "brave-day:calm-fox"]
