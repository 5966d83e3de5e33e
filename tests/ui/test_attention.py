"""Which answers of a batch come first, and the word for why."""

from dataclasses import replace

from neuroclass.classification.result import Answer, CellVerdict, Prediction
from neuroclass.errors import RecordingError, RejectedInput
from neuroclass.reference.health import NOT_HEALTHY
from neuroclass.ui.classify.batch import attention, by_doubt

BROAD = Prediction("dann", {"inhibitory": 0.96, "excitatory": 0.04}, ("inhibitory",), typicality=0.35)
CLEAR = CellVerdict("f", "c", "mouse", BROAD, Prediction("lspin", {"Pvalb": 1.0}, ("Pvalb",)), {}, {})


def flagged(name: str) -> CellVerdict:
    return replace(CLEAR, qc=({"name": name, "severity": "serious", "value": 3.0, "unit": "", "sweep": None},))


ANSWERS: dict[str, Answer] = {
    "refused": RejectedInput("v.nwb", RecordingError("no sweep")),
    "contradiction": replace(CLEAR, warnings=("The models contradict each other.",)),
    "out of distribution": replace(CLEAR, broad=replace(BROAD, abstain="it is unlike all", typicality=0.001)),
    "do not rely": flagged(NOT_HEALTHY),
    "undecided": replace(CLEAR, broad=replace(BROAD, abstain="every class is in the set")),
    "caution": flagged("spontaneous_firing"),
    "": CLEAR,
}


def test_every_doubt_has_its_word():
    assert {name: attention(one) for name, one in ANSWERS.items()} == {name: name for name in ANSWERS}


def test_the_doubtful_come_first_in_the_order_of_their_doubt():
    turned = [(None, one) for one in reversed(ANSWERS.values())]
    assert [attention(one) for _, one in by_doubt(turned)] == list(ANSWERS)
