"""Kill deploys, and run several at once, in processes that are forked from this one.

Run as ``python -m tests.support.deploys FOLDER STEP``: a deploy is killed before each of its parts,
and before every STEP-th change of the disk, and deployed again; then eight deploys run at once. It
writes, as JSON, what the target served after each kill, and the results of the eight.
"""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.disk_changes import kill_before_change
from tests.support.targets import Targets, fit_houses, targets_in
from xingu import Model
from xingu.deploy.execute import Deployed, execute
from xingu.deploy.plan import make_plan
from xingu.errors import DeployConflictError
from xingu.tracking.copying import count_train

PARTS = ("copy", "verify", "prove", "rows", "pointer")


def deploy(project: Targets, train_id: str, watch: Callable[[str], None]) -> Deployed:
    route = project.route()
    return execute(route, make_plan(route, "houses", train_id), watch=watch)


def forked(work: Callable[[], object]) -> int:
    """Start a child that exits with 0, or with 3 if another deploy was faster."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except DeployConflictError:
            code = 3
        finally:
            os._exit(code)
    return child


def killed_before(project: Targets, part: str) -> bool:
    def watch(name: str) -> None:
        if name == part:
            os.kill(os.getpid(), signal.SIGKILL)

    child = forked(lambda: deploy(project, "second", watch))
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def killed_at(project: Targets, change: int) -> bool:
    """Kill a deploy before a change of the disk; return False if it has fewer."""

    def work() -> None:
        kill_before_change(change)
        deploy(project, "second", lambda _: None)

    return os.WIFSIGNALED(os.waitpid(forked(work), 0)[1])


def check(project: Targets) -> str:
    """Return what the target serves; raise unless it loads, and its ledger is intact."""
    target = project.workspace.target("staging")
    served = Model.load("houses", path=target.models.root)
    rows = served.sets["test"] if served.sets else project.model.sets["test"]
    assert len(served.predict(rows.head(3))) == min(3, len(rows))
    assert not [*target.models.ledger("houses").broken_links()]
    return str(served.train_id)


def finish(project: Targets) -> None:
    """Deploy again; raise unless that finishes what was killed, without doubles."""
    again = deploy(project, "second", lambda _: None)
    assert check(project) == "second"
    target = project.workspace.target("staging")
    assert len([*target.models.ledger("houses").entries()]) == 2
    assert count_train(target.control, again.plan.run) == count_train(
        project.workspace.control, again.plan.run
    )


def kill_matrix(project_of: Callable[[str], Targets], step: int) -> dict[str, str]:
    """Return what the target served after each kill: ``first`` is what it served before."""
    served = {}
    for part in PARTS:
        project = project_of(part)
        assert killed_before(project, part)
        served[f"before {part}"] = check(project)
        finish(project)
    change, dead = step, True
    while dead:
        project = project_of(str(change))
        dead = killed_at(project, change)
        if dead:
            served[f"before change {change}"] = check(project)
        finish(project)
        change += step
    return served


def eight(project: Targets) -> list[int]:
    """Deploy eight trains at once; return the exit codes: 0 has won."""
    names = [f"train-{number}" for number in range(8)]
    for name in names:
        project.train(name)
    begin, go = os.pipe()

    def work(name: str) -> None:
        route = project.route()
        plan = make_plan(route, "houses", name)
        os.read(begin, 1)
        execute(route, plan)

    children = [forked(lambda name=name: work(name)) for name in names]
    os.write(go, b"x" * len(names))
    return sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


def main(folder: Path, step: int) -> None:
    model, patch = fit_houses(), pytest.MonkeyPatch()

    def project_of(name: str) -> Targets:
        project = targets_in(folder / name, model, patch)
        project.train("first")
        project.deploy()
        project.train("second")
        return project

    served = kill_matrix(project_of, step)
    codes = eight(targets_in(folder / "eight", model, patch))
    sys.stdout.write(json.dumps({"served": served, "eight": Counter(map(str, codes))}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
