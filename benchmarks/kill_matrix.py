"""SIGKILL of a step's process, of the run's process and of the whole command, in each phase.

After each kill everything that readers can find must be complete. Then the run is executed again
from its failure: it must end well, with the same train and session, and must not repeat steps that
had ended. At last `xingu train` must end well. Prints a line for each kill; exits with 1 if a rule
is broken.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PHASES = ("prepare", "tune", "fit", "evaluate", "batch_raw", "batch")
VICTIMS = ("worker", "run", "command")

LOOK = """
import json, os, sys
from pathlib import Path
import dagster as dg
from xingu.config import Settings
from xingu.workspace import Workspace
from xingu.registry.packages import verify
from xingu_dagster.engine.run_process import close_dead_runs
place = Workspace(Settings.load())
count = 0
for record in place.values.root.rglob("latest.json"):
    place.values.read(record.parent.relative_to(place.values.root).parts)
    count += 1
for train_id in place.models.trains("fragile"):
    verify(place.models.package("fragile", train_id), place.models.manifest("fragile", train_id))
with dg.DagsterInstance.get() as instance:
    closed = close_dead_runs(instance)
    run = next(iter(instance.get_runs(limit=1)))
    events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    failures = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    print(json.dumps({"run": run.run_id, "status": run.status.value, "closed": bool(closed),
        "values": count, "done": sorted(one.dagster_event.step_key for one in events),
        "errors": [one.dagster_event.step_failure_data.error.message for one in failures],
        "tags": {k: run.tags[k] for k in ("xingu/session", "xingu/train/fragile") if k in run.tags},
        "current": place.models.current("fragile")}))
"""
RE_EXECUTE = """
import sys
import dagster as dg
from xingu_dagster.engine.runs import project_job
with dg.DagsterInstance.get() as instance:
    options = dg.ReexecutionOptions.from_failure(sys.argv[1], instance)
    result = dg.execute_job(project_job("xingu_dagster.definitions"), instance,
                            reexecution_options=options)
    sys.exit(0 if result.success else 1)
"""


class Kills:
    """A project in which processes are killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        providers = folder / "dataproviders"
        providers.mkdir(parents=True)
        shutil.copy(HERE / "providers/fragile/fragile.py", providers)
        shutil.copy(HERE.parent / "dagster.yaml", folder)
        rows = "".join(f"{i},{i * 3 + 7}\n" for i in range(200))
        (folder / "rows.csv").write_text(f"size,price\n{rows}")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the project."""
        kept = {"PATH", "HOME", "PYTHONPATH", "TMPDIR", "LANG"}
        environment = {name: value for name, value in os.environ.items() if name in kept}
        environment |= {"DAGSTER_HOME": str(self.folder), "PROJECT_HOME": str(self.folder)}
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def train(self) -> int:
        """Train, and return the exit code."""
        return self.run("-m", "xingu_dagster.cli", "train").returncode

    def look(self) -> dict:
        """Read everything that is there, and return what is known of the last run."""
        done = self.run("-c", LOOK)
        if done.returncode:
            raise RuntimeError(done.stderr[-3000:])
        return json.loads(done.stdout.splitlines()[-1])

    def kill(self, phase: str, victim: str) -> list[str]:
        """Kill, look, and execute again; return what is wrong."""
        wrong = []
        (self.folder / "kill").write_text(f"{phase} {victim}")
        before = self.look()["current"] if (self.folder / "models").exists() else None
        code = self.train()
        if (self.folder / "kill").exists():
            return ["nothing was killed"]
        time.sleep(2 if victim != "worker" else 0)  # workers without a run end by themselves
        found = self.look()
        wrong += [] if code else ["the command has succeeded"]
        wrong += [] if found["status"] == "FAILURE" else [f"the run is {found['status']}"]
        wrong += [] if victim != "command" or found["closed"] else ["the run was not found dead"]
        settled = "fragile__evaluate" in found["done"]
        wrong += [] if settled or found["current"] == before else ["current has changed"]
        again = self.run("-c", RE_EXECUTE, found["run"])
        after = self.look()
        if again.returncode:
            wrong.append(f"the re-execution has failed: {after['errors'] or again.stderr[-500:]}")
        if repeated := set(found["done"]) & set(after["done"]):
            wrong.append(f"repeated: {', '.join(sorted(repeated))}")
        # A run that executes neither prepare, tune nor fit does not name the session.
        differs = [k for k, v in found["tags"].items() if after["tags"].get(k, v) != v]
        wrong += [f"{name} differs" for name in differs]
        wrong += [] if after["current"] == found["tags"]["xingu/train/fragile"] else ["not current"]
        kept, made = len(found["done"]), len(after["done"])
        what = f"{phase:10} {victim:8} exit {code:4}: {kept} steps kept, {made} executed again"
        print(f"{what}: {'; '.join(wrong) or 'ok'}", flush=True)
        return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phases", nargs="*", default=PHASES, choices=PHASES)
    parser.add_argument("--victims", nargs="*", default=VICTIMS, choices=VICTIMS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kills = Kills(Path(folder) / "project")
        wrong = []
        for phase in options.phases:
            for victim in options.victims:
                wrong += kills.kill(phase, victim)
        if kills.train():
            wrong.append("xingu train has failed after the kills")
        last = kills.look()
    print(f"then `xingu train`: {last['status']}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
