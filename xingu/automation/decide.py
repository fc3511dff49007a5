"""Decide whether a DataProvider is trained now. Pure: everything it depends on is an argument.

A change is told by what was last trained, not by a cursor: the sources are compared with what the
current train, and the newest one, have recorded. So a tick that is repeated or lost changes
nothing, and any number of changes since the last train ask for one run. The run key holds the
change and the number of failures since the last train, so that Dagster launches each attempt once.

Times that lie in the future, because the clock of a machine went back, count as long ago, except
for the number of runs in 24 hours.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from xingu.automation.cron import last_time, next_time
from xingu.automation.facts import Attempt, Decision, Facts, State
from xingu.automation.policy import NewData, Policy, duration
from xingu.records import Observed

DAY = timedelta(days=1)
MAX_DEBOUNCES = 10
"""Data that never stops arriving is waited for as many times the debounce."""


@dataclass(frozen=True, slots=True)
class _Reason:
    """A reason to act.

    Attributes:
        text: The reason, for people.
        facts: What it depends on: equal facts are the same change.
        waits: Why it does not suffice yet; empty: it does.
    """

    text: str
    facts: object
    waits: str = ""


def decide(policy: Policy, facts: Facts, now: datetime) -> Decision:
    """Decide whether to ask for a run.

    Args:
        policy: The policy.
        facts: What is known.
        now: The time of the tick, with a time zone.
    """
    state = _state_after(facts, now)
    reasons = list(_reasons(policy, facts, state, now))
    due = [one for one in reasons if not one.waits]
    if facts.running:
        return Decision(False, f"run {facts.running[:8]} is training it", state=state)
    if not due:
        return Decision(False, _idle(policy, reasons, facts, now), state=state)
    text = _joined([one.text for one in due])
    absent = {name for name, train in facts.pre_reqs.items() if train is None}
    if missing := sorted(absent - set(facts.joined)):
        text = f"{text}; waits, because {' and '.join(missing)} has no current train"
        return Decision(False, text, state=state)
    if policy.when.pre_reqs and facts.busy:
        busy = " and ".join(facts.busy)
        return Decision(False, f"{text}; waits for {busy}, which is being trained", state=state)
    change = _change(due, facts)
    failures = _failures(facts)
    obstacle = _obstacle(policy, facts, change, failures, now)
    if obstacle:
        stopped = len(failures) >= policy.limits.failures
        return Decision(False, f"{text}; {obstacle}", stopped=stopped, state=state)
    again = f", attempt {len(failures) + 1}" if failures else ""
    return Decision(
        run=True,
        reason=f"{text}{again}",
        change=change,
        attempt=len(failures) + 1,
        search=_searches(policy, facts),
        state=state,
    )


# -- reasons ----------------------------------------------------------------------------------


def _reasons(policy: Policy, facts: Facts, state: State, now: datetime) -> Iterator[_Reason]:
    if facts.last is None:
        waits = "a source was not observed" if facts.unobserved else ""
        yield _Reason("it was never trained", "first", waits)
        return
    when, last = policy.when, facts.last
    if when.new_data is not None and (changed := _changed(facts)):
        yield _new_data(when.new_data, changed, facts, state, now)
    if when.cron is not None:
        tick = last_time(when.cron, when.timezone, now)
        if last.time < tick:
            yield _Reason(f"it is due since {_time(tick)} ({when.cron})", tick.isoformat())
    if when.pre_reqs:
        yield from _pre_reqs(facts)
    if when.drift and facts.drifted:
        names = " and ".join(facts.drifted)
        yield _Reason(f"the batch has drifted ({names})", ["drift", *facts.drifted])


def _changed(facts: Facts) -> dict[str, tuple[Observed | None, Observed]]:
    """Return what the last train recorded, and what was observed, of sources that differ.

    None of them differs if the current train, or the newest one, was trained on the same data.
    """
    found: dict[str, tuple[Observed | None, Observed]] = {}
    for train in (facts.current, facts.last):
        if train is None:
            continue
        found = {
            name: (before, now)
            for name, now in facts.observed.items()
            if (before := train.sources.get(name)) is None or before.version != now.version
        }
        if not found:
            return {}
    return found


def _new_data(
    rule: NewData,
    changed: Mapping[str, tuple[Observed | None, Observed]],
    facts: Facts,
    state: State,
    now: datetime,
) -> _Reason:
    text, rows, known = _news(changed)
    waits = []
    if rows is not None:
        if rows < rule.min_new_rows:
            waits.append(f"min {rule.min_new_rows:,}")
        if known and rows < rule.min_share * known:
            waits.append(f"min {rule.min_share:.3g} of {known:,} rows")
    if facts.last and (left := _left(facts.last.time, rule.min_interval, now)):
        waits.append(f"{duration(left)} until {duration(rule.min_interval)} have passed since the "
                     "last train")  # fmt: skip
    quiet = _left(_moment(state.since, now), rule.debounce, now)
    if quiet and _left(_moment(state.first, now), rule.debounce * MAX_DEBOUNCES, now):
        waits.append(f"{duration(quiet)} until it is unchanged for {duration(rule.debounce)}")
    versions = sorted((name, after.version) for name, (_, after) in changed.items())
    return _Reason(text, versions, "; ".join(waits))


def _news(changed: Mapping[str, tuple[Observed | None, Observed]]) -> tuple[str, int | None, int]:
    """Return what has changed in words, the number of new rows if it counts, and of those before.

    It does not count if it is not known, or rows that existed before have changed.
    """
    texts, rows, known, counts = [], 0, 0, True
    for name, (before, now) in changed.items():
        if before is None or not before.version:
            texts.append(f"{name} was not recorded by the last train")
        elif now.rewritten:
            texts.append(f"rows of {name} were changed or removed")
        elif before.rows is None or now.rows is None:
            texts.append(f"{name} has changed")
        else:
            new = max(0, now.rows - before.rows)
            texts.append(f"{new:,} new row{'' if new == 1 else 's'} in {name}")
            rows, known = rows + new, known + before.rows
            continue
        counts = False
    return _joined(texts), rows if counts else None, known


def _pre_reqs(facts: Facts) -> Iterator[_Reason]:
    if facts.joined:
        names = " and ".join(facts.joined)
        yield _Reason(f"{names} is trained in the same run", sorted(facts.joined.items()))
        return
    known = [one.uses for one in (facts.current, facts.last) if one is not None]
    other = {
        name: train
        for name, train in facts.pre_reqs.items()
        if train is not None and all(uses.get(name) != train for uses in known)
    }
    if other:
        yield _Reason(f"{' and '.join(other)} was trained", sorted(other.items()))


# -- obstacles --------------------------------------------------------------------------------


def _failures(facts: Facts) -> list[Attempt]:
    """Return the failed attempts in a row since the last train, newest first.

    A run that has trained this DataProvider is none, even if it failed for another one. A train
    that was refused ends the row only if somebody else asked for it.
    """
    trains = [one for one in (facts.current, facts.newest) if one is not None]
    asked = {one.run_id for one in facts.attempts}
    ends = [one.time for one in trains if not one.refused or one.run_id not in asked]
    failures: list[Attempt] = []
    for one in facts.attempts:
        if _has_trained(one, facts) or any(end >= _end(one) for end in ends):
            break
        if one.outcome == "failure":
            failures.append(one)
    return failures


def _has_trained(attempt: Attempt, facts: Facts) -> bool:
    trains = (one for one in (facts.current, facts.newest) if one is not None)
    trained = any(one.run_id == attempt.run_id and not one.refused for one in trains)
    return trained or attempt.outcome == "success"


def _end(attempt: Attempt) -> datetime:
    return attempt.ended or attempt.started


def _obstacle(
    policy: Policy, facts: Facts, change: str, failures: Sequence[Attempt], now: datetime
) -> str:
    """Return why a run that is due is not asked for; empty: nothing is in the way."""
    limits = policy.limits
    done = [one for one in facts.attempts if one.change == change and _has_trained(one, facts)]
    if done:
        return f"run {done[0].run_id[:8]} was for this, and has succeeded"
    if len(failures) >= limits.failures:
        return (
            f"stopped after {len(failures)} failed runs in a row, the last is "
            f"{failures[0].run_id[:8]}; train it by hand, or change its code, to go on"
        )
    if failures:
        left = _left(_end(failures[0]), limits.retry_after * 2 ** (len(failures) - 1), now)
        if left:
            return f"run {failures[0].run_id[:8]} has failed; tries again in {duration(left)}"
    recent = sum(abs(now - one.started) < DAY for one in facts.attempts)
    if recent >= limits.per_day:
        return f"waits, after {recent} runs in 24 hours"
    return ""


def _searches(policy: Policy, facts: Facts) -> bool:
    every, since = policy.how.search_every, facts.since_search
    return bool(every) and (since is None or since + 1 >= every)


# -- words and state --------------------------------------------------------------------------


def _idle(policy: Policy, reasons: Sequence[_Reason], facts: Facts, now: datetime) -> str:
    texts = [f"{one.text} ({one.waits}), waits" for one in reasons]
    if not reasons and policy.when.new_data is not None and facts.observed:
        texts.append("no new data")
    if not reasons and policy.when.pre_reqs:
        texts.append("no prerequisite was trained")
    if policy.when.cron is not None:
        following = next_time(policy.when.cron, policy.when.timezone, now)
        texts.append(f"next at {_time(following)}")
    if not reasons and policy.when.drift:
        texts.append("no drift")
    texts += [f"{name} was not observed: {why}" for name, why in facts.unobserved.items()]
    return "; ".join(texts) or "nothing to do"


def _change(due: Sequence[_Reason], facts: Facts) -> str:
    trains = [one.train_id if one else None for one in (facts.current, facts.newest)]
    return _digest([[one.facts for one in due], trains, facts.code_version])


def _state_after(facts: Facts, now: datetime) -> State:
    changed, before = _changed(facts), facts.state
    if not changed:
        return State()
    seen = _digest(sorted((name, after.version) for name, (_, after) in changed.items()))
    time = now.timestamp()
    since = min(before.since, time) if seen == before.seen else time
    return State(seen, since, min(before.first, time) if before.seen else time)


def _moment(seconds: float, now: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, now.tzinfo)


def _left(begin: datetime, seconds: float, now: datetime) -> float:
    """Return the seconds until `seconds` have passed since `begin`; 0 if it is in the future."""
    passed = (now - begin).total_seconds()
    return 0 if passed < 0 else max(0.0, seconds - passed)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _joined(texts: Sequence[str]) -> str:
    return " and ".join(texts)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M %Z").strip()
