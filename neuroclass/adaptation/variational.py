"""Variational Bayes for one laboratory's cells: class responsibilities, offsets and the laboratory's covariances.

z_i | c ~ t_ν(μ_c + δ + γ_c, Σ_c): every cell of the laboratory is moved by δ, every class by γ_c ~ N(0, τ² I) more.
δ ~ N(0, K + diag(1 / ρ)), with K from the physical directions (`lab_shifts`) and ρ_j gamma distributed, so that each
feature may have an offset of its own under a t distribution with four degrees of freedom: another measurement under
the same name. The classes' proportions are Dirichlet. The laboratory's covariance within classes is shrunk to
the reference's, each class' own to the laboratory's. n cells of one rig are not independent; they count as
500 n / (500 + n).

References
----------
.. [1] Bishop, "Pattern Recognition and Machine Learning", 2006, section 10.2 (variational mixtures).
.. [2] Peel and McLachlan, "Robust mixture modelling using the t distribution", Statistics and Computing 10, 2000.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy.special import digamma, gammaln, logsumexp

from neuroclass.predictors.preprocess import by_pattern
from neuroclass.types.arrays import Floats, Mask

DOF = 8.0
CLASS_SD = 0.12
FEATURE_SD = 0.5
FEATURE_DOF = 4.0
PSEUDO_PROPORTION = 2.0
PSEUDO_LAB = 150.0
PSEUDO_CLASS = 300.0
MOST_CELLS = 500.0
RIDGE = 0.05
_TOLERANCE = 1e-3


_Patterns: TypeAlias = list[tuple[Mask, Mask]]


@dataclass(frozen=True)
class Home:
    """The reference's classes on some features, and how laboratories are expected to differ from it.

    Attributes
    ----------
    means : ndarray, shape (n_classes, n_features)
        Class means.
    within : ndarray, shape (n_features, n_features)
        Covariance within classes, with a ridge.
    physical : ndarray, shape (n_features, n_features)
        K, the covariance of the laboratories' physical offsets.
    """

    means: Floats
    within: Floats
    physical: Floats

    def only(self, k: int) -> "Home":
        """The reference with a single class."""
        return Home(self.means[[k]], self.within, self.physical)


@dataclass(frozen=True)
class LabFit:
    """A laboratory as it was estimated.

    Attributes
    ----------
    offset, offset_covariance : ndarray, shape (n_features,) and (n_features, n_features)
        δ and its posterior covariance.
    means : ndarray, shape (n_classes, n_features)
        μ_c + δ + γ_c.
    mean_covariances : ndarray, shape (n_classes, n_features, n_features)
        Their posterior covariance.
    covariances : ndarray, shape (n_classes, n_features, n_features)
        Σ_c.
    pseudo_counts : ndarray, shape (n_classes,)
        Of the Dirichlet posterior of the proportions.
    own_variance : ndarray, shape (n_features,)
        Variance allowed to each feature's own offset, 1 / E[ρ].
    evidence : float
        Bound on the logarithm of the batch's density, nats.
    """

    offset: Floats
    offset_covariance: Floats
    means: Floats
    mean_covariances: Floats
    covariances: Floats
    pseudo_counts: Floats
    own_variance: Floats
    evidence: float

    def log_joint(self, z: Floats) -> Floats:
        """Logarithm of proportion × density of each class, shape (n_cells, n_classes); z NaN where missing."""
        spread = self.covariances + self.mean_covariances
        return np.asarray(log_densities(z, self.means, spread) + self.log_share)

    @property
    def log_share(self) -> Floats:
        """Expected logarithm of the proportions, shape (n_classes,)."""
        return np.asarray(digamma(self.pseudo_counts) - digamma(self.pseudo_counts.sum()))

    def posterior(self, z: Floats) -> Floats:
        """Probability of each class, shape (n_cells, n_classes)."""
        joint = self.log_joint(z)
        return np.asarray(np.exp(joint - logsumexp(joint, axis=1, keepdims=True)))

    def log_density(self, z: Floats) -> Floats:
        """Logarithm of each cell's density under the laboratory, shape (n_cells,)."""
        return np.asarray(logsumexp(self.log_joint(z), axis=1))


def log_densities(z: Floats, means: Floats, covariances: Floats) -> Floats:
    """Logarithm of each class' t density on the features present, shape (n_cells, n_classes).

    Parameters
    ----------
    z : ndarray, shape (n_cells, n_features)
        NaN where missing; 0 is returned for a cell without features.
    means : ndarray, shape (n_classes, n_features)
        Locations.
    covariances : ndarray, shape (n_classes, n_features, n_features)
        Scale matrices.
    """
    return _densities_and_weights(z, means, covariances, list(by_pattern(~np.isnan(z))))[0]


def _densities_and_weights(z: Floats, means: Floats, covariances: Floats, patterns: _Patterns) -> tuple[Floats, Floats]:
    """As `log_densities`, and the expected precision factor of each cell in each class: small for outliers."""
    logs, weights = np.zeros((len(z), len(means))), np.ones((len(z), len(means)))
    for pattern, rows in patterns:
        k = int(pattern.sum())
        if not k:
            continue
        constant = gammaln((DOF + k) / 2) - gammaln(DOF / 2) - k / 2 * np.log(DOF * np.pi)
        present = z[rows][:, pattern]
        for c, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
            block = covariance[np.ix_(pattern, pattern)]
            residual = present - mean[pattern]
            squares = np.einsum("ij,ij->i", residual @ np.linalg.inv(block), residual)
            logs[rows, c] = constant - np.linalg.slogdet(block)[1] / 2 - (DOF + k) / 2 * np.log1p(squares / DOF)
            weights[rows, c] = (DOF + k) / (DOF + squares)
    return logs, weights


@dataclass
class _State:
    """What one round hands to the next."""

    covariances: Floats
    own: Floats


def fit_laboratory(z: Floats, start: Floats, home: Home, rounds: int = 40) -> LabFit:
    """Learn a laboratory from cells without labels.

    Parameters
    ----------
    z : ndarray, shape (n_cells, n_features)
        Standardised features, NaN where missing.
    start : ndarray, shape (n_cells, n_classes)
        Each cell's first responsibilities.
    home : Home
        The reference on these features.
    rounds : int
        Most rounds.

    Returns
    -------
    LabFit
    """
    patterns = [(pattern, rows) for pattern, rows in by_pattern(~np.isnan(z)) if pattern.any()]
    n_classes, n_features = home.means.shape
    factor = MOST_CELLS / (MOST_CELLS + len(z))
    state = _State(np.repeat(home.within[None], n_classes, 0), np.full(n_features, FEATURE_SD**2))
    r, weights, means = start, np.ones_like(start), home.means
    for _ in range(rounds):
        fit = _maximise(z, r, weights, patterns, home, state, factor)
        spread = fit.covariances + fit.mean_covariances
        logs, weights = _densities_and_weights(z, fit.means, spread, patterns)
        total = logsumexp(logs + fit.log_share, axis=1, keepdims=True)
        updated = np.exp(logs + fit.log_share - total)
        step = max(float(np.abs(updated - r).max()), float(np.abs(fit.means - means).max()))
        r, means = updated, fit.means
        if step < _TOLERANCE:
            break
    return replace(fit, evidence=fit.evidence + factor * float(total.sum()))


def _maximise(
    z: Floats, r: Floats, weights: Floats, patterns: _Patterns, home: Home, state: _State, factor: float
) -> LabFit:  # fmt: skip
    """Update offsets, covariances and proportions for given responsibilities, and the state for the next round."""
    n_classes, n_features = home.means.shape
    eye = np.eye(n_features)
    heavy = factor * r * weights
    information = np.zeros((n_classes, n_features, n_features))
    pull = np.zeros((n_classes, n_features))
    for pattern, rows in patterns:
        block = np.ix_(pattern, pattern)
        for c in range(n_classes):
            precision = np.linalg.inv(state.covariances[c][block])
            information[c][block] += heavy[rows, c].sum() * precision
            pull[c, pattern] += precision @ (heavy[rows, c] @ (z[rows][:, pattern] - home.means[c, pattern]))
    prior = home.physical + np.diag(state.own)
    prior_precision = np.linalg.inv(prior)
    gamma_covariance = np.linalg.inv(information + eye / CLASS_SD**2)
    shrunk = information @ gamma_covariance
    posterior_precision = prior_precision + (information - shrunk @ information).sum(0)
    offset_covariance = np.linalg.inv(posterior_precision)
    offset = offset_covariance @ (pull - np.einsum("cij,cj->ci", shrunk, pull)).sum(0)
    gamma = np.einsum("cij,cj->ci", gamma_covariance, pull - np.einsum("cij,j->ci", information, offset))
    rest = eye - np.einsum("cij,cjk->cik", gamma_covariance, information)
    spreads = gamma_covariance + rest @ offset_covariance @ rest.transpose(0, 2, 1)
    means = home.means + offset + gamma
    scatter = np.zeros((n_classes, n_features, n_features))
    for pattern, rows in patterns:
        for c in range(n_classes):
            scatter[c] += _scatter(z[rows][:, pattern] - means[c, pattern], heavy[rows, c], factor * r[rows, c].sum(),
                                   state.covariances[c], pattern)  # fmt: skip
    counts = factor * r.sum(0)
    scatter += counts[:, None, None] * spreads
    lab = (PSEUDO_LAB * home.within + scatter.sum(0)) / (PSEUDO_LAB + counts.sum())
    covariances = (PSEUDO_CLASS * lab + scatter) / (PSEUDO_CLASS + counts)[:, None, None]
    own_part = state.own[:, None] * prior_precision
    own_mean = own_part @ offset
    own_var = state.own - np.diag(own_part) * state.own
    own_var = own_var + np.einsum("ij,jk,ik->i", own_part, offset_covariance, own_part)
    state.own = (FEATURE_DOF * FEATURE_SD**2 + own_mean**2 + np.maximum(own_var, 0)) / (FEATURE_DOF + 1)
    state.covariances = covariances
    pseudo = PSEUDO_PROPORTION + counts
    evidence = -_penalty(offset, gamma, prior_precision, posterior_precision, gamma_covariance, lab, covariances, home)
    return LabFit(offset, offset_covariance, means, spreads, covariances, pseudo, state.own, evidence)


def _scatter(residual: Floats, heavy: Floats, count: float, covariance: Floats, pattern: Mask) -> Floats:
    """Expected weighted scatter on all features, the missing ones completed given those present."""
    own = (heavy[:, None] * residual).T @ residual
    if pattern.all():
        return np.asarray(own)
    within = covariance[np.ix_(pattern, pattern)]
    result = np.zeros_like(covariance)
    spread = np.eye(len(covariance))[:, pattern]
    spread[~pattern] = np.linalg.solve(within, covariance[np.ix_(pattern, ~pattern)]).T
    result = spread @ own @ spread.T
    missing = np.ix_(~pattern, ~pattern)
    result[missing] += count * (covariance[missing] - spread[~pattern] @ covariance[np.ix_(pattern, ~pattern)])
    return np.asarray(result)


def _divergence(a: Floats, b: Floats) -> Floats:
    """2 × the divergence of N(0, a) from N(0, b)."""
    ratio = np.linalg.solve(b, a)
    return np.asarray(np.trace(ratio, axis1=-2, axis2=-1) - np.linalg.slogdet(ratio)[1] - a.shape[-1])


def _penalty(
    offset: Floats, gamma: Floats, prior_precision: Floats, posterior_precision: Floats, gamma_covariance: Floats,
    lab: Floats, covariances: Floats, home: Home,
) -> float:  # fmt: skip
    """What the estimates cost: Laplace's factor of the offsets, and the covariances' distance from their priors."""
    n_features = len(offset)
    shift = offset @ prior_precision @ offset + (gamma**2).sum() / CLASS_SD**2
    volume = np.linalg.slogdet(posterior_precision)[1] - np.linalg.slogdet(prior_precision)[1]
    volume -= np.linalg.slogdet(gamma_covariance)[1].sum() - len(gamma) * n_features * np.log(CLASS_SD**2)
    shape = PSEUDO_LAB * _divergence(home.within, lab)
    shape += PSEUDO_CLASS * _divergence(lab[None], covariances).sum()
    return float(shift + volume + shape) / 2
