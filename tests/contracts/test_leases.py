"""Contract of leases, on SQLite and on PostgreSQL."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.support.control import control_db
from xingu.errors import ConcurrentTrainError, ControlDbError
from xingu.processes import Process
from xingu.tracking import leases
from xingu.tracking.leases import Holder, Lease, acquire, fenced, holders, release, renewed


def take(db, run_id, **given) -> Lease:
    found = acquire(db, "houses", run_id, **given)
    assert isinstance(found, Lease), f"{run_id} finds {found}"
    return found


def expire(db, seconds_ago=None) -> None:
    moment = time.time() - seconds_ago if seconds_ago else 1
    with db.write("test") as connection:
        connection.execute(text("UPDATE leases SET expires = :moment"), {"moment": moment})


def restart(db) -> None:
    """End all connections but this one, as a restart of PostgreSQL does."""
    with db.read() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def race(url, home, number) -> bool:
    db = control_db(url, home)
    return isinstance(acquire(db, "houses", f"run-{number}"), Lease)


def dead_process() -> str:
    source = "from xingu.processes import Process; print(Process.current().text)"
    return subprocess.check_output([sys.executable, "-c", source], text=True).strip()


def test_the_refusal_of_a_second_run_names_the_holder_and_the_time(db):
    take(db, "run-1", process=Process.current().text)
    holder = acquire(db, "houses", "run-2")
    assert isinstance(holder, Holder)
    assert holder.run_id == "run-1"
    assert abs(holder.since.timestamp() - time.time()) < 60
    assert f"the run run-1 (process {os.getpid()} on " in str(holder)
    assert list(holders(db)) == ["houses"]


def test_other_names_are_free(db):
    take(db, "run-1")
    assert isinstance(acquire(db, "taxes", "run-2"), Lease)


def test_the_steps_of_a_run_hold_the_same_lease(db):
    assert take(db, "run-1").token == take(db, "run-1").token == 1


def test_a_lease_that_was_given_back_is_free_and_the_token_grows(db):
    release(db, take(db, "run-1"))
    assert holders(db) == {}
    second = take(db, "run-2")
    assert (second.token, second.replaced) == (2, None)


def test_a_run_can_take_its_lease_again_if_no_other_run_has_taken_it(db):
    release(db, take(db, "run-1"))
    assert take(db, "run-1").token == 1
    assert isinstance(acquire(db, "houses", "run-2"), Holder)


def test_an_expired_lease_of_a_run_of_which_nothing_is_known_is_taken_over(db):
    take(db, "run-1", seconds=30)
    assert isinstance(acquire(db, "houses", "run-2"), Holder)
    expire(db)
    second = take(db, "run-2")
    assert second.token == 2
    assert second.replaced is not None
    assert second.replaced.run_id == "run-1"


def test_a_run_whose_process_has_ended_is_replaced_before_its_lease_expires(db):
    take(db, "run-1", process=dead_process(), seconds=3600)
    assert take(db, "run-2").token == 2


def test_a_run_whose_process_runs_is_not_replaced_although_its_lease_has_expired(db):
    take(db, "run-1", process=Process.current().text)
    expire(db, seconds_ago=3600)
    assert isinstance(acquire(db, "houses", "run-2"), Holder)
    expire(db)  # a long time ago: the process has forgotten it
    assert take(db, "run-2").token == 2


def test_a_run_that_was_replaced_can_neither_go_on_nor_pass_the_fence(db):
    first = take(db, "run-1")
    expire(db)
    second = take(db, "run-2")
    passed = []
    for _ in range(2):
        with pytest.raises(ConcurrentTrainError, match=r"the run run-2.* has taken over .* run-1"):
            take(db, "run-1")
        with (
            pytest.raises(ConcurrentTrainError, match="does not become current"),
            fenced(db, first),
        ):
            passed.append("first")
        with fenced(db, second):
            passed.append("second")
        release(db, second)
    assert passed == ["second", "second"]


def test_no_run_takes_a_lease_over_while_the_fence_is_passed(db):
    lease = take(db, "run-1")
    expire(db)
    found = []
    other = threading.Thread(target=lambda: found.append(acquire(db, "houses", "run-2")))
    with fenced(db, lease):
        other.start()
        other.join(0.3)
        assert found == []
    other.join(10)
    assert isinstance(found[0], Lease)


def test_a_long_step_renews_all_leases_of_its_run(db):
    lease = take(db, "run-1", seconds=0.6)
    acquire(db, "taxes", "run-1", seconds=0.6)
    with renewed(db, lease):
        time.sleep(1.0)
        for name in ("houses", "taxes"):
            assert isinstance(acquire(db, name, "run-2"), Holder)


def test_what_was_given_back_is_not_renewed(db):
    release(db, take(db, "run-1"))
    leases.renew(db, "run-1", 300)
    take(db, "run-2")


def test_of_runs_at_the_same_time_one_takes_the_name(control_url, tmp_path):
    assert control_db(control_url, tmp_path).engine
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: race(control_url, tmp_path, number), range(4)))
    assert sorted(found) == [False, False, False, True]


def test_rows_do_not_grow_without_end_and_tokens_go_on(db):
    for number in range(leases.KEPT + 5):
        lease = take(db, f"run-{number}")
        release(db, lease)
    with db.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM leases")) == leases.KEPT
    assert lease.token == leases.KEPT + 5


def test_a_lost_connection_ends_its_transaction_and_the_next_one_connects_again(
    postgres_schema, tmp_path
):
    db, other = (control_db(postgres_schema, tmp_path) for _ in range(2))
    lease = take(db, "run-1")
    with pytest.raises(ControlDbError, match="cannot be written"), fenced(db, lease):
        restart(other)
    assert take(db, "run-1").token == lease.token
    restart(other)
    release(db, lease)
    assert take(db, "run-2").token == 2
