"""Any history of changes, runs and failures: no change is lost, and none is trained on twice."""

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given, settings

from xingu.automation.decide import decide
from xingu.automation.facts import Attempt, Facts, State, Trained
from xingu.automation.policy import parse_policy
from xingu.records import Observed

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = parse_policy(
    "houses", {"when": "on_new_data", "limits": {"per_day": 1000, "failures": 1000}}
)

EVENTS = st.lists(
    st.sampled_from(["tick", "tick", "change", "finish", "fail", "refuse", "back", "lose"]),
    max_size=60,
)


class World:
    """A table, a daemon that ticks, and runs that read the table when they begin."""

    def __init__(self):
        self.now, self.version = BEGIN, 0
        self.current = Trained("t0", BEGIN, self.observed(), {}, "by hand")
        self.newest = self.current
        self.state = State()
        self.attempts: list[Attempt] = []
        self.keys: list[str] = []
        self.run: tuple[str, dict] | None = None
        self.trained_on = [0]

    def observed(self):
        return {"houses": Observed(f"v{self.version}", self.version)}

    def tick(self):
        self.now += timedelta(hours=20)  # longer than any backoff of these tests
        facts = Facts(
            current=self.current,
            newest=self.newest,
            observed=self.observed(),
            running=self.run[0] if self.run else None,
            attempts=self.attempts,
            state=self.state,
        )
        assert POLICY is not None
        decision = decide(POLICY, facts, self.now)
        self.state = decision.state
        if decision.run:
            assert self.run is None
            assert decision.key not in self.keys, "Dagster would not launch it"
            self.keys.append(decision.key)
            run_id = f"run-{len(self.keys)}"
            self.attempts.insert(0, Attempt(run_id, decision.change, self.now, None, "running"))
            self.run = (run_id, self.observed())
        return decision

    def change(self):
        self.version += 1

    def lose(self):
        """Lose the cursor of the sensor."""
        self.state = State()

    def back(self):
        """Put the clock back."""
        self.now -= timedelta(hours=30)

    def _end(self, outcome):
        first = self.attempts[0]
        ended = Attempt(first.run_id, first.change, first.started, self.now, outcome)
        self.attempts[0] = ended

    def finish(self, refused=False):
        if self.run is None:
            return
        run_id, sources = self.run
        self.run = None
        self._end("failure" if refused else "success")
        train = Trained(f"t-{run_id}", self.now, sources, {}, run_id, refused)
        version = int(sources["houses"].version[1:])
        assert version not in self.trained_on, "one change was trained on twice"
        self.trained_on.append(version)
        self.newest = train
        if not refused:
            self.current = train

    def refuse(self):
        self.finish(refused=True)

    def fail(self):
        if self.run is not None:
            self.run = None
            self._end("failure")


@settings(max_examples=300, deadline=None)
@given(EVENTS)
def test_no_change_is_trained_on_twice_and_none_is_lost(events):
    world = World()
    for event in events:
        getattr(world, event)()
    world.finish()
    for _ in range(40):  # the backoff after many failures in a row is long
        world.now += timedelta(days=400)
        if world.tick().run:
            world.finish()
    assert world.trained_on[-1] == world.version
    assert not world.tick().run


@given(st.integers(1, 50))
def test_any_number_of_changes_during_a_run_or_a_pause_asks_for_one_more_run(changes):
    world = World()
    world.change()
    assert world.tick().run
    for _ in range(changes):
        world.change()
        assert not world.tick().run
    world.finish()
    assert world.tick().run
    world.finish()
    assert [world.tick().run for _ in range(3)] == [False, False, False]


@given(st.integers(1, 6))
def test_a_failed_run_is_tried_again_under_another_key(failures):
    world = World()
    world.change()
    for number in range(failures):
        decision = world.tick()
        assert (decision.run, decision.attempt) == (True, number + 1)
        world.fail()
        world.now += timedelta(days=1)
    assert world.tick().run
    world.finish()
    assert not world.tick().run
