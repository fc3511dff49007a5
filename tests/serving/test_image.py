"""The image of examples/serving: what it holds, and who runs it."""

import re

from tests.docs.pages import ROOT

FOLDER = ROOT / "examples" / "serving"
LINES = (FOLDER / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
STEPS = [line.split(maxsplit=1) for line in LINES if re.match("[A-Z]+ ", line)]


def steps(name):
    return [rest for step, rest in STEPS if step == name]


def test_what_is_copied_is_in_the_folder_or_is_the_models():
    copied = [rest.split()[0] for rest in steps("COPY")]
    assert {"models", "service.py"} <= set(copied)
    assert [name for name in set(copied) - {"models"} if not (FOLDER / name).exists()] == []


def test_the_service_runs_as_a_plain_user_who_owns_nothing():
    [user] = steps("USER")
    assert int(user) > 0
    assert not any("chown" in rest for _, rest in STEPS)
    names = [step for step, _ in STEPS]
    assert names.index("USER") > max(n for n, name in enumerate(names) if name in ("RUN", "COPY"))


def test_it_needs_neither_dagster_nor_a_database():
    text = (FOLDER / "requirements.txt").read_text()
    wanted = [line for line in text.splitlines() if line and not line.startswith("#")]
    names = {re.split(r"[\[><=]", line)[0] for line in wanted}
    assert names == {"xingu-core", "fastapi", "uvicorn"}
