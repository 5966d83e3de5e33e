"""Batches: held-out cells carry no weight, hidden features are imputed, shifts keep to their directions."""

import numpy as np
import pytest
import torch

from neuroclass.config import AugmentSettings
from neuroclass.errors import SettingsError
from neuroclass.features import FEATURE_NAMES, FEATURES
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.augmentation import lab_shifts, random_masks
from neuroclass.training.batches import BatchMaker, TrainingCells, as_tensor
from neuroclass.training.losses import cross_entropy
from tests.planted import planted_cohort

N = 64


def maker(augment: AugmentSettings, mixup: float = 0.0) -> BatchMaker:
    x = planted_cohort(N).matrix()
    preprocessor = Preprocessor.fit(x)
    z, present = preprocessor(x)
    cells = TrainingCells(
        as_tensor(z),
        as_tensor(present),
        torch.eye(2)[torch.arange(N) % 2],
        torch.zeros(N, dtype=torch.long),
        torch.ones(N),
        torch.ones(N),
    )
    seen = np.ones((2, N), dtype=bool)
    seen[0, :32] = False
    return BatchMaker(cells, seen, preprocessor, augment, mixup, 0)


def test_cells_a_member_may_not_see_weigh_nothing():
    batch = maker(AugmentSettings(masked_share=0, shifted_share=0)).draw(N)
    assert float(batch.label_weights[0].sum()) == 32
    assert float(batch.label_weights[1].sum()) == N
    mixed = maker(AugmentSettings(masked_share=0, shifted_share=0), mixup=0.4).draw(N)
    assert torch.equal(mixed.label_weights, mixed.label_weights.flip(1))
    assert float(mixed.label_weights[0].sum()) < 32


def test_hidden_features_follow_from_those_present():
    batches = maker(AugmentSettings(masked_share=1.0, shifted_share=0.0))
    batch = batches.draw(N)
    assert 0.2 < float(batch.present.mean()) < 0.9
    assert bool((batch.present.sum(1) >= 4).all())
    preprocessor = Preprocessor.fit(planted_cohort(N).matrix())
    row = int(batch.present.sum(1).argmin())
    there = batch.present[row].numpy().astype(bool)
    values = np.where(there, batch.x[row].numpy(), np.nan)[None]
    assert np.allclose(preprocessor.complete(values.astype(np.float64))[0], batch.x[row].numpy(), atol=1e-4)


def test_shifts_move_what_they_say():
    shifts = {shift.name: shift for shift in lab_shifts(AugmentSettings())}
    offset = shifts["voltage offset"].direction
    assert np.array_equal(offset != 0, [spec.unit == "mV" for spec in FEATURES])
    cold = shifts["temperature"].direction
    assert cold[FEATURE_NAMES.index("width")] == 1.0
    assert cold[FEATURE_NAMES.index("upstroke")] == -1.0
    assert cold[FEATURE_NAMES.index("upstroke_v")] == 0.0
    assert cold[FEATURE_NAMES.index("upstroke_downstroke_ratio_ramp")] == 0.0
    assert shifts["resistance"].direction[FEATURE_NAMES.index("threshold_i")] == -1.0


def test_masks_hide_whole_stimuli():
    masks = random_masks(300, AugmentSettings(feature_hidden=0.0), np.random.default_rng(0))
    noise = masks[:, :14]
    assert set(noise.sum(1)) == {0, 14}
    assert 0.2 < (noise.sum(1) == 0).mean() < 0.6


def test_cross_entropy_with_soft_targets_and_weights():
    logits = torch.tensor([[[0.0, 0.0], [9.0, 0.0]]])
    targets = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    assert float(cross_entropy(logits, targets, torch.tensor([[1.0, 0.0]]))) == pytest.approx(np.log(2))


def test_share_above_one_is_refused():
    with pytest.raises(SettingsError, match=r"masked_share is 1\.5; expected a number from 0 to 1"):
        AugmentSettings(masked_share=1.5)
