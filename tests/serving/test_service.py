"""examples/serving over real HTTP: through promotion and rollback without losing a request."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.fitted import fit_model
from tests.support.keys import write_keys
from tests.support.served import Load, service, wait_until
from tests.support.toys import Houses, houses
from xingu import Model
from xingu.registry.store import ModelStore

ROW = {"size": 80.0, "town": "north"}


class Worse(Houses):
    """The same id, other estimations."""

    estimator_params = {"n_estimators": 2, "num_leaves": 3}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return write_keys(tmp_path_factory.mktemp("keys"), "ours")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, keys):
    """A storage with three trains; none is current."""
    store = ModelStore(tmp_path_factory.mktemp("trained"), keys=keys.keys())
    for cls, name in ((Houses, "first"), (Worse, "second"), (Houses, "third")):
        store.save(fit_model(cls, (name, name)))
    return store


@pytest.fixture(scope="module")
def served(trained, tmp_path_factory, keys):
    """The storage of a target whose first train is current, and a client of its service."""
    models = tmp_path_factory.mktemp("target") / "models"
    shutil.copytree(trained.root, models)
    store = ModelStore(models)
    store.make_current(store.load("houses", "first").run)
    with service(models, "houses", XINGU_TRUSTED_KEYS=str(keys.public)) as client:
        yield store, client


@pytest.fixture(scope="module")
def expected(trained):
    models = {name: trained.load("houses", name) for name in ("first", "second", "third")}
    rows = houses(1)[["size", "town"]].assign(**ROW)
    return {name: one.predict(rows)["estimation"].iloc[0] for name, one in models.items()}


def promote(store, train_id):
    store.make_current(store.load("houses", train_id).run)


def test_promotion_damage_and_rollback_lose_no_request(served, expected):
    store, client = served
    assert abs(expected["first"] - expected["second"]) > 1
    with Load(client, ROW, expected) as load:
        wait_until(lambda: load.answers[200, "first"] > 20)
        promote(store, "second")
        wait_until(lambda: load.answers[200, "second"] > 20)
        damaged = store.package("houses", "third") / "provider_state.pkl"
        good = damaged.read_bytes()
        run = store.load("houses", "third").run
        damaged.write_bytes(good[:-1])
        store.make_current(run)
        wait_until(lambda: client.get("/health").json()["problem"])
        problem = client.get("/health").json()["problem"]
        before = load.answers[200, "second"]
        wait_until(lambda: load.answers[200, "second"] > before + 20)
        damaged.write_bytes(good)
        promote(store, "first")  # back
        wait_until(lambda: client.get("/health").json()["train_id"] == "first")
    assert load.wrong == []
    assert list(load.answers) == [(200, "first"), (200, "second")]
    assert "provider_state.pkl is not what was saved" in problem
    assert client.get("/health").json()["problem"] is None


def test_health_names_train_commit_digest_and_signer(served):
    store, client = served
    found = client.get("/health").json()
    loaded = store.package_record("houses", found["train_id"])
    assert found["package_sha256"] == loaded.manifest_sha256
    assert found["signer"].startswith("ours.pub.pem")
    assert {"git_commit", "trained", "since", "checked"} <= found.keys()
    assert client.get("/model").json()["features"] == {"size": "float64", "town": "str"}


def test_an_unsigned_train_is_not_served(served):
    store, client = served
    before = client.get("/health").json()["train_id"]
    model = fit_model(Houses, ("unsigned", "unsigned"))
    ModelStore(store.root).save(model)
    store.make_current(model.run)
    wait_until(lambda: "signature.json" in (client.get("/health").json()["problem"] or ""))
    assert client.get("/health").json()["train_id"] == before
    promote(store, "first")


def test_all_problems_of_rows_are_in_one_answer_422(served):
    _, client = served
    rows = [{"size": "large", "twn": "north"}, {"size": True, "twn": "south"}]
    answer = client.post("/predict", json={"rows": rows})
    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        "town: missing",
        "twn: no feature of this model. Did you mean 'town'?",
        "size: rows 0, 1 should have a finite number, not 'large', True",
    ]
    assert client.post("/predict", json={"rows": []}).status_code == 422


def test_null_is_refused_where_training_had_none_and_nan_never_breaks_an_answer(served):
    _, client = served
    answer = client.post("/predict", json={"rows": [{"size": None, "town": "north"}]})
    assert answer.status_code == 422
    assert "size: null in row 0; its values must not be missing" in answer.text
    text = '{"rows": [{"size": NaN, "town": "north"}, {"size": Infinity, "town": "north"}]}'
    headers = {"content-type": "application/json"}
    assert client.post("/predict", content=text, headers=headers).status_code == 422


def test_it_estimates_what_the_model_estimates_also_in_concurrent_requests(served):
    store, client = served
    promote(store, "first")
    wait_until(lambda: client.get("/health").json()["train_id"] == "first")
    rows = houses(40)[["size", "town"]]
    expected = store.load("houses", "first").predict(rows)["estimation"].tolist()

    def ask(number):
        content = {"rows": rows.iloc[[number]].to_dict("records")}
        return client.post("/predict", json=content).json()["estimations"][0]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(len(rows)))) == pytest.approx(expected)
    whole = client.post("/predict", json={"rows": rows.to_dict("records")}).json()
    assert (whole["train_id"], whole["estimations"]) == ("first", pytest.approx(expected))


def test_whole_numbers_are_taken_for_a_feature_with_decimals(served):
    _, client = served
    assert client.post("/predict", json={"rows": [{**ROW, "size": 80}]}).status_code == 200


def test_model_load_follows_the_same_pointer(served, keys, monkeypatch):
    store, client = served
    monkeypatch.setenv("XINGU_TRUSTED_KEYS", str(keys.public))
    model = Model.load("houses", path=store.root)
    wait_until(lambda: client.get("/health").json()["train_id"] == model.train_id)
