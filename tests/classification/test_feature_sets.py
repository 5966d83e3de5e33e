"""Tables in which rows have other features missing: how many fits there are, and what each row is judged by."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from neuroclass.classification import classify, feature_sets
from neuroclass.classification.feature_sets import MOST_FITTED, fit, plan
from neuroclass.classification.measurement import MeasuredCell
from neuroclass.errors import RecordingError, RejectedInput
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.training.library import FeatureSetLibrary, whole_stimuli
from neuroclass.types.arrays import Mask
from neuroclass.types.progress import FEATURE_SET, Progress


@dataclass
class Library(FeatureSetLibrary):
    """The shipped sets without models, and a note of what is asked to be fitted."""

    fitted: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.__dict__["shipped"] = whole_stimuli()

    def is_ready(self, present: Mask) -> bool:
        return self.ships(present) or present.tobytes() in self.fitted

    def model_for(self, present: Mask, progress=None):
        assert not self.is_ready(present)
        for done in range(4):
            progress(Progress("network", done, 4))
        self.fitted.append(present.tobytes())


def cell(name: str, present: Mask) -> MeasuredCell:
    features = {name: 1.0 for name, there in zip(FEATURE_NAMES, present, strict=True) if there}
    missing = {name: "empty" for name in FEATURE_NAMES if name not in features}
    return MeasuredCell("lab.csv", name, "mouse", features, missing)


def mask_of(one: MeasuredCell) -> Mask:
    return np.array([name in one.features for name in FEATURE_NAMES])


def patterns(n: int, share: float = 0.6) -> list[Mask]:
    found, rng = {}, np.random.default_rng(3)
    while len(found) < n:
        one = rng.random(len(FEATURE_NAMES)) < share
        found[one.tobytes()] = one
    return list(found.values())


def test_few_sets_are_all_fitted_and_every_cell_keeps_its_features():
    cells = [cell(f"c{k}", one) for k, one in enumerate(patterns(MOST_FITTED))]
    chosen = plan(cells, Library())
    assert chosen.cells == cells and len(chosen.to_fit) == MOST_FITTED


def test_cells_that_shipped_sets_serve_need_no_fit_however_many_there_are():
    cells = [cell(f"c{k}", one) for k, one in enumerate(whole_stimuli())]
    assert plan(cells, Library(), most=0).cells == cells


def test_beyond_the_bound_a_cell_is_judged_by_the_largest_set_within_its_features_and_says_so():
    library, sets = Library(), patterns(40)
    often = [cell(f"often{k}", one) for k, one in enumerate(sets[:5]) for _ in range(2)]
    rest = [cell(f"rest{k}", one) for k, one in enumerate(sets[5:])]
    wide = cell("wide", sets[0] | sets[1])
    rejected = RejectedInput("lab.csv", RecordingError("no"), "bad")
    chosen = plan([*often, rejected, *rest, wide], library, most=5)
    assert {one.tobytes() for one in chosen.to_fit} == {one.tobytes() for one in sets[:5]}
    assert chosen.cells[:10] == often and chosen.cells[10] is rejected
    allowed = {one.tobytes() for one in chosen.to_fit}
    judged, n_other = 0, sum(not library.ships(one) for one in (*sets, mask_of(wide)))
    for before, after in zip([*rest, wide], chosen.cells[11:], strict=True):
        if isinstance(after, RejectedInput):
            assert "classify these rows as a table of their own" in str(after.error)
            continue
        judged += 1
        kept = mask_of(after)
        assert not (kept & ~mask_of(before)).any() and kept.sum() < mask_of(before).sum()
        assert kept.tobytes() in allowed or library.ships(kept)
        lost = [name for name in before.features if name not in after.features]
        assert all(name in after.missing for name in lost)
        assert (
            f"Judged without {len(lost)} of its {len(before.features)} features ({BY_NAME[lost[0]].named}"
            in after.warnings[-1]
        )
        assert f"{n_other} other sets of features" in after.warnings[-1]
    assert judged and isinstance(chosen.cells[-1], MeasuredCell)
    assert mask_of(chosen.cells[-1]).sum() >= max(sets[0].sum(), sets[1].sum())


def test_a_plan_is_the_same_whatever_was_fitted_before_and_when_made_again():
    cells = [cell(f"c{k}", one) for k, one in enumerate(patterns(30))]
    first = plan(cells, Library(), most=4)
    known = Library(fitted=[one.tobytes() for one in patterns(30)] + [mask_of(one).tobytes() for one in cells])
    assert list(map(repr, plan(cells, known, most=4).cells)) == list(map(repr, first.cells))
    again = plan(first.cells, Library(), most=4)
    assert again.cells == first.cells and len(again.to_fit) == len(first.to_fit)


def test_fits_are_reported_and_end_where_the_report_raises():
    library, told = Library(), []
    fit(patterns(3), library, told.append)
    assert {one.stage for one in told} == {FEATURE_SET} and {one.total for one in told} == {3}
    assert [one.done for one in told] == sorted(one.done for one in told) and told[-1].done == 3

    def stop(progress: Progress) -> None:
        if progress.done == 1:
            raise KeyboardInterrupt

    library = Library()
    with pytest.raises(KeyboardInterrupt):
        fit(patterns(3), library, stop)
    assert len(library.fitted) == 1


def test_nothing_is_told_where_nothing_is_fitted():
    told: list[Progress] = []
    fit(whole_stimuli(), Library(), told.append)
    assert told == []


def test_classifying_fits_no_more_sets_than_the_bound(monkeypatch):
    library = Library()
    models = type("Models", (), {"library": library})()
    cells = [cell(f"c{k}", one) for k, one in enumerate(patterns(3 * MOST_FITTED))]
    seen: list[object] = []
    monkeypatch.setattr(classify, "_classify_block", lambda block, *_: seen.extend(block) or list(block))
    list(classify.classify_blocks(cells, models, reasons=False))
    assert len(library.fitted) == MOST_FITTED == feature_sets.MOST_FITTED and len(seen) == len(cells)
    for one in seen:
        assert isinstance(one, RejectedInput) or library.is_ready(mask_of(one))
