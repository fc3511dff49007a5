import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from xingu.names import key_part, session_id_of, train_id_of


@given(st.uuids().map(str), st.text(min_size=1))
def test_ids_are_three_words_and_depend_on_run_and_provider(run_id, dp_id):
    train = train_id_of(run_id, dp_id)
    assert train == train_id_of(run_id, dp_id)
    assert len(train.split("-")) >= 3
    assert train != session_id_of(run_id)


def test_every_process_computes_the_same_ids():
    code = "from xingu.names import *; print(session_id_of('run'), train_id_of('run', 'dp'))"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.split() == [session_id_of("run"), train_id_of("run", "dp")]


def test_two_thousand_runs_have_two_thousand_ids():
    assert len({train_id_of(str(run), "dp") for run in range(2000)}) == 2000


@given(st.text())
def test_a_key_part_is_letters_digits_and_underscore(text):
    part = key_part(text)
    assert len(part) == len(text) + (0 if text.isascii() else 7)
    assert all(letter.isascii() and (letter.isalnum() or letter == "_") for letter in part)


def test_names_outside_ascii_keep_key_parts_of_their_own():
    names = ["цена", "срок", "preço", "preçq", "价格", "数量", "a"]
    assert len({key_part(name) for name in names}) == len(names)
    assert key_part("цена") == "_____5e7333"
