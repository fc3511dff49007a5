"""A project in the manner of Xingu 2.0: what its DataProviders, Estimators and hooks relied on."""

from pathlib import Path

import numpy as np
import pandas as pd

BASE = '''
import logging

import pandas
import xingu
from habits.diary import note


class Base(xingu.DataProvider):
    """A base class without an id, in a module of its own."""

    x_features = "age plan calls".split()
    encode = ["plan"]

    def clean_data_for_train(self, datasets: dict) -> pandas.DataFrame:
        note("clean_data_for_train")
        return pandas.concat([datasets[name] for name in datasets]).set_index("customer")

    def clean_data_for_batch_predict(self, datasets: dict) -> pandas.DataFrame:
        note("clean_data_for_batch_predict")
        return pandas.concat([datasets[name] for name in datasets]).set_index("customer")

    def feature_engineering_for_train(self, df: pandas.DataFrame) -> pandas.DataFrame:
        note("feature_engineering_for_train")
        self.encoders = {
            name: {value: code for code, value in enumerate(sorted(df[name].unique()))}
            for name in self.encode
        }
        self.log("Engineered", level=logging.DEBUG)
        self.log()
        self.get_logger().info("encoders: %s", self.encoders)
        return self.common(df).assign(stratify=lambda table: table[self.y])

    def feature_engineering_for_batch_predict(self, df):
        note("feature_engineering_for_batch_predict")
        return self.common(df)

    def common(self, df):
        return df.assign(plan_code=df["plan"].map(self.encoders["plan"]))

    def __getstate__(self):
        return dict(**super().__getstate__(), encoders=self.encoders, encode=self.encode)
'''

CHURN = """
import pathlib

import pandas
from basedp import Base
from habits.diary import note
from habits.learners import Ensemble
import xingu
import xingu.estimators.catboost


class DPChurn(Base):
    id = "churn"
    x_estimator_features = "age plan_code calls".split()
    y = "left"
    proba_class_index = 1
    estimator_class = Ensemble
    estimator_class_params = dict(members=3)
    estimator_params = dict(max_depth=3)
    estimator_hyperparams = dict(min_samples_leaf=5)
    estimator_hyperparams_search_space = dict(min_samples_leaf=("int", dict(low=2, high=20)))

    train_dataset_sources = dict(
        customers=dict(url="data/customers.csv", note="an extra key"),
    )
    batch_predict_dataset_sources = dict(new=dict(url="data/new.csv"))

    def get_dataset_sources_for_train(self, model=None):
        note("get_dataset_sources_for_train", model)
        return self.train_dataset_sources

    def get_dataset_sources_for_batch_predict(self, model=None):
        note("get_dataset_sources_for_batch_predict", model)
        return self.batch_predict_dataset_sources

    def last_pre_process_for_train(self, data):
        note("last_pre_process_for_train")
        return data

    def last_pre_process_for_batch_predict(self, data):
        note("last_pre_process_for_batch_predict")
        return data

    def data_split_for_train(self, data):
        note("data_split_for_train")
        held = data.sample(frac=0.2, random_state=self.random_state)
        return {"train": data.drop(held.index), "test": held}

    def get_estimator_features_list(self):
        note("get_estimator_features_list")
        return self.x_estimator_features

    def get_target(self):
        note("get_target")
        return self.y

    def get_estimator_optimization_search_space(self):
        note("get_estimator_optimization_search_space")
        return self.estimator_hyperparams_search_space

    def get_estimator_hyperparams(self):
        note("get_estimator_hyperparams")
        return self.estimator_hyperparams

    def post_process_after_hyperparam_optimize(self, model):
        note("post_process_after_hyperparam_optimize")
        assert model.estimator.hyperparam_exchange()["min_samples_leaf"] >= 2
        assert model.trained is False
        pathlib.Path(model.get_config("PLOTS_PATH", default="."))

    def post_process_after_train(self, model):
        note("post_process_after_train")
        name = f"{self.id} • {type(model).time_fs_str(model.trained)} • {model.get_full_train_id()}"
        self.log("Trained " + name)
        self.seen = sorted(model.sets)

    def pre_process_for_predict_proba(self, model, X):
        note("pre_process_for_predict_proba")
        return X

    def post_process_after_predict_proba(self, *, Y_pred, X, model):
        note("post_process_after_predict_proba")
        return Y_pred

    def pre_process_for_trainsets_metrics(self, model):
        note("pre_process_for_trainsets_metrics")
        self.held_out = len(model.sets_estimations["validation"])

    def post_process_after_trainsets_metrics(self, model):
        note("post_process_after_trainsets_metrics")

    def compute_model_metrics_of_plan(self, XY, Y_pred):
        return {f"rows:{plan}": len(rows) for plan, rows in XY.groupby("plan")}

    def compute_trainsets_model_metrics_plans(self, XY, Y_pred, model):
        return self.compute_model_metrics_of_plan(XY, Y_pred)

    def compute_global_model_metrics_held_out(self, model):
        return {"held out": self.held_out}

    def render_global_model_plots_nothing(self, model):
        return None

    def compute_estimation_metrics_score(self, XY, Y_pred, model):
        score = (Y_pred["estimation_class_1"] * 1000).round()
        return pandas.DataFrame(dict(name="score", value_number=score), index=XY.index)
"""

SPENDING = """
from basedp import Base
from habits.learners import Averages


class DPSpending(Base):
    id = "spending"
    pre_req = {"churn"}
    x_estimator_features = ["plan_code", "risk"]
    y = "spent"
    estimator_class = "habits.learners.Averages"
    train_dataset_sources = dict(customers=dict(url="data/customers.csv"))
    batch_predict_dataset_sources = None

    def last_pre_process_for_train(self, data):
        risk = self.pre_req_model["churn"].predict_proba(data)
        return data.assign(risk=risk["estimation_class_1"])

    def data_split_for_train(self, data):
        train, val, test = self.random_data_split(data, test_size=0.2, val_size=0.2)
        return dict(train=train, val=val, everything=data)
"""

LEARNERS = '''
import logging

import numpy
import pandas
import sklearn.base
import sklearn.tree
import xingu

from habits.diary import note


class Ensemble(xingu.Estimator):
    """Members that are fitted without a fold each, and estimate it for the set `validation`."""

    def __init__(self, params=None, hyperparams=None, random_state=42, members=1, **kwargs):
        params["random_state"] = random_state
        super().__init__(params=params, hyperparams=hyperparams)
        self.random_state = random_state
        self.size = members
        self.members = []

    def hyperparam_optimize(self, datasets, features, target, search_space):
        note("Estimator.hyperparam_optimize")
        assert features == ["age", "plan_code", "calls"]
        assert list(search_space) == ["min_samples_leaf"]
        return dict(min_samples_leaf=7)

    def hyperparam_exchange(self, params=None, hyperparams=None):
        note("Estimator.hyperparam_exchange")
        if hyperparams is not None:
            self.hyperparams = hyperparams
        return self.hyperparams

    def fit(self, datasets, features, target, model=None):
        note("Estimator.fit")
        assert isinstance(features, list)
        self.logger.info("Fit %d members", self.size)
        train = datasets["train"]
        datasets["validation"] = train
        if model is not None and not hasattr(model, "sets_estimations"):
            model.sets_estimations = dict()
            model.sets_estimations["validation"] = None
        for number in range(self.size):
            held = train.iloc[number :: self.size]
            rest = train.drop(held.index)
            tree = sklearn.tree.DecisionTreeClassifier(**self.params, **self.hyperparams)
            self.members.append(tree.fit(rest[features], rest[target]))
            made = self.of_member(held[features], number).assign(member=number)
            before = model.sets_estimations["validation"]
            model.sets_estimations["validation"] = pandas.concat([before, made])
        model.sets_estimations["validation"] = model.sets_estimations["validation"].reindex(
            train.index
        )

    def of_member(self, data, number):
        probabilities = self.members[number].predict_proba(data)
        return pandas.DataFrame(probabilities, data.index).rename(
            columns=lambda column: f"estimation_class_{column}"
        )

    def predict(self, data):
        note("Estimator.predict")
        best = self.mean(data).to_numpy().argmax(axis=1)
        return pandas.DataFrame(dict(estimation=best), index=data.index)

    def predict_proba(self, data, class_index=None):
        note("Estimator.predict_proba")
        self.log(f"{len(data)} rows", level=logging.DEBUG)
        made = self.mean(data)
        return made if class_index is None else made[[f"estimation_class_{class_index}"]]

    def mean(self, data):
        return sum(self.of_member(data, number) for number in range(self.size)) / self.size

    def is_classifier(self):
        return sklearn.base.is_classifier(self.members[0])

    def __getstate__(self):
        return dict(**xingu.Estimator.__getstate__(self), size=self.size, members=self.members)


class Averages(xingu.Estimator):
    """The mean of the target, a little of everything left out."""

    default_hyperparams = dict(weight=1.0)

    def hyperparam_optimize(self, datasets, model):
        return dict(weight=len(datasets["train"]) / len(model.sets["train"]))

    def fit(self, datasets, features, target, model):
        self.setup_logger()
        self.log("fit")
        self.mean = float(numpy.mean(datasets["train"][target])) * self.hyperparams["weight"]

    def predict(self, data):
        return pandas.DataFrame(dict(estimation=self.mean), index=data.index)

    def is_classifier(self):
        return False

    def __getstate__(self):
        return dict(**super().__getstate__(), mean=self.mean)
'''

DIARY = """
CALLS = []


def note(name, model="not given"):
    CALLS.append(name if isinstance(model, str) else f"{name}({type(model).__name__})")
"""


def write_project(folder: Path) -> Path:
    """Write the project, and return its folder."""
    files = {
        "dataproviders/basedp.py": BASE,
        "dataproviders/churn.py": CHURN,
        "dataproviders/spending.py": SPENDING,
        "habits/__init__.py": "",
        "habits/diary.py": DIARY,
        "habits/learners.py": LEARNERS,
    }
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.lstrip())
    customers = _customers(300)
    (folder / "data").mkdir()
    customers.to_csv(folder / "data/customers.csv", index=False)
    customers.drop(columns=["left", "spent"]).head(40).assign(
        customer=lambda table: table["customer"] + 1000
    ).to_csv(folder / "data/new.csv", index=False)
    return folder


def _customers(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    age, calls = rng.integers(18, 80, rows), rng.poisson(2, rows)
    plan = rng.choice(["basic", "family", "pro"], rows)
    left = (calls + (plan == "basic") + rng.normal(0, 1, rows) > 3).astype(int)
    return pd.DataFrame(
        {
            "customer": range(rows),
            "age": age,
            "plan": plan,
            "calls": calls,
            "left": left,
            "spent": 10 + 3 * calls + rng.normal(0, 1, rows),
        }
    )
