"""The paper's recipes: one step's gradient, early stopping, and what the search on the test cells proposes."""

import numpy as np
import pytest
import torch

from neuroclass.evaluation.dann_selection import OWN, SEARCH, TRAINING, accuracies, candidates, objective
from neuroclass.evaluation.published_split import broad_cells
from neuroclass.nets.paper_dann import PaperDann
from neuroclass.predictors.preprocess import PaperScaler
from neuroclass.training import paper_dann
from neuroclass.training.paper_dann import PaperDannSettings, fit_paper_dann
from tests.planted import planted_cohort

SMALL = PaperDannSettings(hidden=(8, 4), epochs=200, patience=20)


def two_clouds(n_cells: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features of which the first tells the class."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n_cells)
    x = rng.standard_normal((n_cells, 5))
    x[:, 0] += 4.0 * truth
    return x, truth


def fitted(settings: PaperDannSettings, seed: int = 0) -> tuple[PaperDann, np.ndarray, np.ndarray]:
    x, truth = two_clouds(200, 0)
    net = fit_paper_dann(x, truth, np.arange(200) % 2, two_clouds(60, 1), settings, seed)
    return net, *two_clouds(200, 2)


def test_it_learns_and_gives_the_same_weights_for_the_same_seed():
    net, x, truth = fitted(SMALL)
    with torch.inference_mode():
        predicted = net(torch.as_tensor(x, dtype=torch.float32)[None]).label[0].argmax(-1).numpy()
    assert (predicted == truth).mean() > 0.95
    again, other = fitted(SMALL)[0].state_dict(), fitted(SMALL, seed=1)[0].state_dict()
    assert all(torch.equal(value, again[name]) for name, value in net.state_dict().items())
    assert not all(torch.equal(value, other[name]) for name, value in net.state_dict().items())


def test_it_stops_when_the_validation_cells_get_no_better_and_keeps_the_best(monkeypatch: pytest.MonkeyPatch):
    losses = iter([0.5, 0.2, *[0.3] * 300])
    kept: list[dict[str, torch.Tensor]] = []

    def told(net: PaperDann, *_: object) -> float:
        kept.append({name: value.clone() for name, value in net.state_dict().items()})
        return next(losses)

    monkeypatch.setattr(paper_dann, "_label_loss", told)
    net, _, _ = fitted(SMALL)
    assert len(kept) == 2 + SMALL.patience
    assert all(torch.equal(value, kept[1][name]) for name, value in net.state_dict().items())


def test_the_extractor_gets_the_domain_gradient_reversed():
    net, x = PaperDann(5, (4, 3)).eval(), torch.randn(1, 20, 5)
    first = net.extractor[1].weight

    def gradient(strength: float) -> torch.Tensor:
        loss = net(x, strength).domain.square().sum()
        return torch.autograd.grad(loss, first)[0]

    assert torch.allclose(gradient(2.0), -2.0 * gradient(-1.0))
    assert gradient(1.0).abs().sum() > 0
    assert float(net.penalty().detach()) == pytest.approx(
        sum(float((one.detach() ** 2).sum()) for name, one in net.extractor.named_parameters() if "weight" in name)
    )


def test_the_scaler_neither_clips_nor_takes_logarithms():
    x = np.random.default_rng(0).lognormal(size=(300, 41))
    x[0] = 1e4
    z = PaperScaler.fit(x).standardise(x)
    assert z.max() > 10
    np.testing.assert_allclose(z, (x - x.mean(axis=0)) / x.std(axis=0))


def test_the_search_begins_with_the_published_settings_and_does_not_depend_on_processes():
    cells = broad_cells(planted_cohort(400, seed=3))
    one, two = (SEARCH.run(cells, 3, seed=0, jobs=jobs) for jobs in (1, 2))
    first = one[0][0]
    assert (first.hidden, first.weight_penalty, first.learning_rate) == ((128, 64, 32), 0.01236, 0.006)
    assert [settings for settings, _ in one] == [settings for settings, _ in two]
    assert candidates(one).equals(candidates(two))
    found = accuracies(one[0][1])
    assert set(found) == {(species, how) for species in ("mouse", "human") for how in (OWN, TRAINING)}
    assert objective(one[0][1]) == pytest.approx((found["mouse", OWN] + found["human", OWN]) / 2)
