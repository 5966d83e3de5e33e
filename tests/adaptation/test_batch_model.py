"""A batch without labels: planted laboratories are found within their intervals, and hopeless batches left alone."""

import numpy as np
import pytest

from neuroclass.adaptation.banner import batch_banner
from neuroclass.adaptation.batch_model import LEAST_CELLS, adapt_batch
from neuroclass.adaptation.planted import set_limit
from neuroclass.adaptation.variational import fit_laboratory
from neuroclass.adaptation.verdicts import pooled_verdict, reference_home
from neuroclass.cell_types import SUBCLASS_ORDER
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.lab_shifts import LAB_SHIFTS
from tests.adaptation.planting import LONG_SQUARE, MIXED, Planted, plant

PLANTS = 20


@pytest.fixture(scope="module")
def plants() -> list[Planted]:
    return [plant(120, seed) for seed in range(PLANTS)]


@pytest.fixture(scope="module")
def fits(plants):
    return [one.adapt() for one in plants]


def test_offsets_lie_within_their_intervals(plants, fits):
    units = {shift.name: shift.sd for shift in LAB_SHIFTS}
    names = [shift.name for shift in LAB_SHIFTS]
    inside = [
        part.low <= one.sizes[names.index(part.name)] * units[part.name] <= part.high
        for one, fit in zip(plants, fits, strict=True)
        for part in fit.components
    ]
    assert len(inside) >= 6 * PLANTS * 0.8
    assert 0.85 <= np.mean(inside) <= 1.0
    volts = [(one.sizes[0] * 8, part.size) for one, fit in zip(plants, fits, strict=True)
             for part in fit.components if part.name == "voltage offset"]  # fmt: skip
    assert np.corrcoef(np.array(volts).T)[0, 1] > 0.9


def test_strongly_shifted_batches_gain_and_none_collapses(plants, fits):
    assert np.mean([fit.adapted for fit in fits]) >= 0.8
    for fit in fits:
        assert np.bincount(fit.probabilities.argmax(1), minlength=5).max() < 0.6 * len(fit.probabilities)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (8, 6))
    far = [plant(120, 50 + seed, sizes=2 * sign) for seed, sign in enumerate(signs)]
    gains = [one.accuracy(one.adapt().probabilities) - one.accuracy(one.alone) for one in far]
    assert np.mean(gains) > 0.03
    assert sum(gain < -0.05 for gain in gains) <= 1


def test_composition_lies_within_its_intervals_and_sets_cover(plants, fits):
    adapted = [(one, fit) for one, fit in zip(plants, fits, strict=True) if fit.adapted]
    covered, held, size = [], [], []
    for one, fit in adapted:
        shares = np.bincount(one.truth, minlength=5) / len(one.truth)
        covered += [fit.proportions[name].low <= share <= fit.proportions[name].high
                    for name, share in zip(SUBCLASS_ORDER, shares, strict=True)]  # fmt: skip
        held.append(fit.sets[np.arange(len(one.truth)), one.truth].mean())
        size.append(fit.sets.sum(1).mean())
        assert sum(part.share for part in fit.proportions.values()) == pytest.approx(1)
        assert fit.sets[np.arange(len(one.truth)), fit.probabilities.argmax(1)].all()
    assert np.mean(covered) >= 0.85
    assert np.mean(held) >= 0.86
    assert np.mean(size) < 2.4


@pytest.mark.parametrize("n_cells", [20, 50, 200])
def test_batches_of_one_class_are_left_alone_or_not_harmed(n_cells):
    harmed, refused = [], []
    for k in range(5):
        for seed in range(3):
            one = plant(n_cells, 100 + seed, tuple(np.eye(5)[k]))
            fit = one.adapt()
            harmed.append(one.accuracy(fit.probabilities) < one.accuracy(one.alone) - 0.05)
            refused.append(not fit.adapted)
    assert np.mean(harmed) <= 0.07
    assert np.mean(refused) >= {20: 0.8, 50: 0.5, 200: 0.2}[n_cells]


@pytest.mark.parametrize(("n_cells", "n_plants"), [(20, 16), (50, 10), (500, 4)])
def test_mixed_batches_of_any_size_are_seldom_harmed(n_cells, n_plants):
    gains = []
    for seed in range(n_plants):
        one = plant(n_cells, 200 + seed)
        gains.append(one.accuracy(one.adapt().probabilities) - one.accuracy(one.alone))
    assert np.mean(gains) >= -0.01
    assert np.mean(np.array(gains) < -0.05 - 1e-9) <= 0.2


def test_a_batch_left_alone_keeps_its_verdicts_and_says_why():
    one = plant(60, 3, tuple(np.eye(5)[1]))
    fit = one.adapt()
    assert not fit.adapted
    assert "one class" in fit.why_not or "half" in fit.why_not
    assert np.array_equal(fit.probabilities, one.alone)
    assert fit.proportions is None and fit.sets is None and fit.components == ()
    assert np.isnan(fit.delta).all()
    banner = batch_banner(fit)
    assert "cannot be estimated" in banner and fit.why_not in banner and "%" not in banner.split("cannot be")[1]


def test_fewer_than_fifteen_cells_are_refused():
    few = plant(LEAST_CELLS - 1, 0)
    assert few.adapt().why_not.startswith("14 cells are too few")
    blind = plant(40, 0)
    blind.z[LEAST_CELLS - 1 :] = np.nan
    assert blind.adapt().why_not.startswith("14 cells are too few")


def test_a_feature_measured_otherwise_is_named():
    one = plant(200, 5, sizes=np.zeros(6))
    column = FEATURE_NAMES.index("upstroke_downstroke_ratio_long_square")
    one.z[:, column] -= 2.5
    fit = one.adapt()
    assert fit.adapted
    assert fit.other_measurements == ("upstroke_downstroke_ratio_long_square",)
    assert fit.delta[column] == pytest.approx(-2.5, abs=0.5)
    assert np.isnan(fit.delta[FEATURE_NAMES.index("peak_v")])
    assert "Probably measured otherwise" in batch_banner(fit)
    assert one.accuracy(fit.probabilities) > one.accuracy(one.alone)


def test_missing_features_here_and_there_do_not_matter_much():
    whole = plant(120, 8)
    holes = plant(120, 8)
    holes.z[np.random.default_rng(0).random(holes.z.shape) < 0.1] = np.nan
    few = plant(120, 8)
    few.z[:40, FEATURE_NAMES.index("tau")] = np.nan
    accuracies = [one.accuracy(one.adapt().probabilities) for one in (whole, holes, few)]
    assert min(accuracies[1:]) > accuracies[0] - 0.1


def test_the_same_seed_gives_the_same_answer():
    one = plant(80, 4)
    first, again, other = one.adapt(1), one.adapt(1), one.adapt(2)
    assert np.array_equal(first.probabilities, again.probabilities)
    assert first.stability == again.stability and np.array_equal(first.sets, again.sets)
    assert np.abs(first.probabilities - other.probabilities).max() < 1e-6 or first.adapted != other.adapted


def test_broad_answers_follow_from_the_subclasses(plants, fits):
    fit = next(fit for fit in fits if fit.adapted)
    broad = fit.as_broad()
    assert broad.classes == ("excitatory", "inhibitory")
    assert np.allclose(broad.probabilities[:, 0], fit.probabilities[:, 0])
    assert np.allclose(broad.probabilities.sum(1), 1)
    assert np.array_equal(broad.sets[:, 1], fit.sets[:, 1:].any(1))
    assert broad.proportions["inhibitory"].share == pytest.approx(1 - fit.proportions["Glutamatergic"].share)
    assert broad.proportions["inhibitory"].low <= broad.proportions["inhibitory"].high


def test_human_batches_have_two_classes():
    one = plant(80, 2, (0.6, 0.4))
    fit = one.adapt()
    assert fit.probabilities.shape == (80, 2)
    assert fit.adapted and one.accuracy(fit.probabilities) >= one.accuracy(one.alone) - 0.02


def test_larger_batches_count_for_more_and_limits_are_probabilities():
    alone, batch = np.array([[0.9, 0.1]]), np.array([[0.2, 0.8]])
    shares = [pooled_verdict(alone, batch, n)[0, 0] for n in (1, 20, 200, 5000)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(0.9, abs=0.01) and shares[-1] == pytest.approx(0.2, abs=0.01)
    one = plant(60, 0)
    seen = np.isin(FEATURE_NAMES, LONG_SQUARE)
    home = reference_home(one.reference.shapes, one.reference.preprocessor, seen)
    fit = fit_laboratory(one.z[:, seen], one.alone, home)
    limit = set_limit(fit, home, one.reference.shapes, seen, 60, np.random.default_rng(0))
    assert 0 < limit < 1
    assert np.allclose(fit.pseudo_counts.sum() - 2 * 5, 60 * 500 / 560)
    assert abs(fit.pseudo_counts[0] / fit.pseudo_counts.sum() - MIXED[0]) < 0.15


def test_a_batch_that_looks_like_one_class_by_itself_is_not_divided(plants):
    one = plants[0]
    alone = np.full_like(one.alone, 0.075)
    alone[:, 0] = 0.7
    reference = one.reference
    fit = adapt_batch(one.z, alone, reference.shapes, reference.preprocessor, reference.classes)
    assert not fit.adapted and np.array_equal(fit.probabilities, alone)
    assert "mostly Glutamatergic (mean probability 70%)" in fit.why_not
