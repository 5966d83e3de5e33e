"""Who goes first where several sessions compute."""

import threading

import pytest

from neuroclass.ui.turns import Turns


def test_explanations_wait_for_the_answers_of_others():
    turns, done = Turns(), []
    waiting, answered = threading.Event(), threading.Event()

    def answer() -> None:
        with turns.answering():
            waiting.set()
            answered.wait(10)
            done.append("answer")

    def explain() -> None:
        waiting.wait(10)
        turns.let_answers_pass()
        done.append("explanation")

    threads = [threading.Thread(target=one) for one in (answer, explain)]
    for thread in threads:
        thread.start()
    waiting.wait(10)
    answered.set()
    for thread in threads:
        thread.join()
    assert done == ["answer", "explanation"]


def test_nobody_waits_for_ever_nor_for_an_answer_that_failed():
    turns = Turns()
    with turns.answering():
        assert not turns.let_answers_pass(0.01)
    with pytest.raises(ValueError, match="bad"), turns.answering():
        raise ValueError("bad")
    assert turns.let_answers_pass(0)
