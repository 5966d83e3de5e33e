"""Priors: Bayes' rule on posteriors, and what a user may say."""

import numpy as np
import pytest

from neuroclass.cell_types import BROAD_ORDER, HUMAN_SUBCLASS_ORDER, SUBCLASS_ORDER
from neuroclass.errors import SettingsError
from neuroclass.predictors.priors import Prior, kept_share, parse_prior, reweight

P = np.array([[0.1, 0.5, 0.2, 0.1, 0.1], [0.96, 0.01, 0.01, 0.01, 0.01]])


def test_reweighting_is_bayes_rule_on_planted_gaussians():
    """Posteriors under equal proportions, corrected to 1 : 9, are those computed under 1 : 9 directly."""
    x = np.linspace(-3, 3, 21)
    likelihood = np.stack([np.exp(-((x + 1) ** 2) / 2), np.exp(-((x - 1) ** 2) / 2)], 1)
    equal = likelihood / likelihood.sum(1, keepdims=True)
    direct = likelihood * [0.1, 0.9]
    direct /= direct.sum(1, keepdims=True)
    assert np.allclose(reweight(equal, Prior({"inhibitory": 9.0}), BROAD_ORDER), direct)


def test_an_excluded_class_is_gone_and_the_rest_keep_their_odds():
    q = reweight(P, parse_prior("Pvalb=0"))
    assert (q[:, 1] == 0).all()
    assert np.allclose(q.sum(1), 1)
    assert q[0, 2] / q[0, 0] == pytest.approx(2)


def test_no_prior_changes_nothing():
    assert not Prior()
    assert np.allclose(reweight(P, Prior()), P)


def test_broad_and_subclass_weights_speak_to_each_other():
    gabaergic = parse_prior("gabaergic")
    assert gabaergic.of(BROAD_ORDER).tolist() == [0, 1]
    assert gabaergic.of(SUBCLASS_ORDER).tolist() == [0, 1, 1, 1, 1]
    assert parse_prior("Glutamatergic=0").of(BROAD_ORDER).tolist() == [0, 1]
    assert parse_prior("Pvalb=0").of(BROAD_ORDER).tolist() == [1, 1]
    assert parse_prior("Pvalb=0,Sst=0,Vip=0,Htr3a=0").of(BROAD_ORDER).tolist() == [1, 0]
    assert parse_prior(["inhibitory=2", "Sst=3"]).of(SUBCLASS_ORDER).tolist() == [1, 2, 6, 2, 2]


def test_a_driver_line_excludes_the_other_broad_class_only():
    assert parse_prior("line=gad2-ires-cre").of(SUBCLASS_ORDER).tolist() == [0, 1, 1, 1, 1]
    assert parse_prior("line=Rorb-IRES2-Cre").of(BROAD_ORDER).tolist() == [1, 0]


def test_what_contradicts_the_features_is_found():
    assert kept_share(P, parse_prior("GABAergic").of(SUBCLASS_ORDER)).tolist() == pytest.approx([0.9, 0.04])
    impossible = reweight(np.array([[1.0, 0, 0, 0, 0]]), parse_prior("GABAergic"))
    assert impossible[0].tolist() == [0, 0.25, 0.25, 0.25, 0.25]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Pvalb", "no prior 'Pvalb'"),
        ("Pvalb=x", "lacks a number"),
        ("Pvalb=-1", "from 0 to"),
        ("Pvalb=nan", "from 0 to"),
        ("Purkinje=0", "Purkinje"),
        ("GABAergic,glutamatergic", "leave at least one"),
        ("line=Gng7-Cre_KH71", "marks no one class"),
    ],
)
def test_what_cannot_be_a_prior_is_refused(text, says):
    with pytest.raises(SettingsError, match=says):
        parse_prior(text)


def test_human_subclasses_have_weights_too():
    prior = parse_prior("inhibitory=2,lamp5/pax6=3,Sst=0")
    assert prior.of(HUMAN_SUBCLASS_ORDER).tolist() == [1, 2, 0, 2, 6]
    assert prior.of(SUBCLASS_ORDER).tolist() == [1, 2, 0, 2, 2]
    human = Prior(dict.fromkeys(HUMAN_SUBCLASS_ORDER[1:], 0.5))
    assert human.of(BROAD_ORDER).tolist() == [1, 0.5]
    assert Prior({"Lamp5/Pax6": 0.5}).of(BROAD_ORDER).tolist() == [1, 1]
    with pytest.raises(SettingsError, match="leave at least one"):
        Prior(dict.fromkeys(HUMAN_SUBCLASS_ORDER, 0.0))
