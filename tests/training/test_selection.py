"""Selection looks at training cells only, and finds what is better there."""

import numpy as np

from neuroclass.cell_types import SUBCLASS_ORDER
from neuroclass.training.selection import INNER_FOLDS, inner_accuracy, select_and_train
from tests.planted import planted_cohort


class Constant:
    """Always says the same class."""

    def __init__(self, name: str, seen: int) -> None:
        self.classes, self.name, self.seen = SUBCLASS_ORDER, name, seen

    def predict_proba(self, x, species=None):
        return np.tile([float(c == self.name) for c in self.classes], (len(x), 1))


def test_the_better_candidate_is_trained_on_all_cells():
    cohort = planted_cohort()
    counts = cohort.frame["subclass"].value_counts()
    common, rare = counts.index[0], counts.index[-1]
    sizes = []

    def train(cells, name):
        sizes.append(len(cells))
        return Constant(name, len(cells))

    chosen = select_and_train(cohort, "subclass", (rare, common), train, 0)
    labelled = len(cohort.labelled("subclass"))
    if counts.iloc[0] > counts.iloc[-1]:
        assert chosen.name == common
    assert chosen.seen == len(cohort)
    assert len(sizes) == 2 * INNER_FOLDS + 1
    assert max(sizes[:-1]) < labelled


def test_inner_folds_share_no_donor():
    cohort = planted_cohort()
    cells = cohort.labelled("subclass")
    everyone = set(cells.column("donor"))
    seen = []

    def train(part):
        seen.append(set(part.column("donor")))
        return Constant(SUBCLASS_ORDER[0], len(part))

    score = inner_accuracy(cohort, "subclass", train, 0)
    assert score == np.mean(cells.column("subclass") == SUBCLASS_ORDER[0])
    held_out = [everyone - donors for donors in seen]
    assert set().union(*held_out) == everyone
    assert sum(len(donors) for donors in held_out) == len(everyone)
