"""DANN and LSPIN for exactly the features that a cell has; see `voices` for how a verdict comes about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from neuroclass.cell_types import Species
from neuroclass.features import FEATURE_NAMES
from neuroclass.nets.dann import Dann
from neuroclass.nets.lspin import Lspin
from neuroclass.predictors import voices
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.foundation import SPECIES, Foundation
from neuroclass.predictors.kernel import Kernel
from neuroclass.predictors.lab_shifts import lab_covariance
from neuroclass.predictors.preprocess import CLIP
from neuroclass.predictors.remembered import Remembered
from neuroclass.predictors.strangeness import Strangeness, allowance, deviations
from neuroclass.predictors.voices import AWAY, BROAD, HOME, SUBCLASS, VOICES, Judgement
from neuroclass.types.arrays import Floats, Integers

LEVELS: Floats = np.linspace(0, 1, 201)
_NETS: dict[str, type[Lspin] | type[Dann]] = {SUBCLASS: Lspin, BROAD: Dann}
EVEN = 0.5


@dataclass(frozen=True)
class Voice:
    """The trained parts of one voice of a task.

    Attributes
    ----------
    net : Lspin or Dann
        All members, over the features of the set.
    architecture : mapping
        Arguments that rebuild `net`.
    kernel : Kernel or None
        At home only.
    temperatures : mapping of species to float
        T.
    """

    net: Lspin | Dann
    architecture: Mapping[str, Any]
    kernel: Kernel | None
    temperatures: Mapping[str, float]

    @torch.inference_mode()
    def members(self, z: Floats, agree: bool = True) -> Floats:
        """Probabilities of each member, shape (n_members, n_cells, n_classes)."""
        x = torch.as_tensor(z, dtype=torch.float32).expand(self.architecture["n_members"], -1, -1)
        logits = self.net(x, None, agree).logits if isinstance(self.net, Lspin) else self.net(x).label
        return np.asarray(logits.softmax(-1).numpy(), dtype=np.float64)

    @torch.inference_mode()
    def gates(self, z: Floats) -> Floats:
        """The consensus gates of an LSPIN, shape (n_cells, n_features)."""
        x = torch.as_tensor(z, dtype=torch.float32).expand(self.architecture["n_members"], -1, -1)
        return np.asarray(self.net(x).gates[0].numpy(), dtype=np.float64)


@dataclass(frozen=True)
class FeatureSetModel:
    """Both models of one set of features.

    Attributes
    ----------
    columns : ndarray of int, shape (n_features,)
        The features, positions in the table of 41.
    foundation : Foundation
        Shared with the other sets.
    voices : mapping of (task, voice) to Voice
        Tasks ``broad`` (DANN) and ``subclass`` (LSPIN), voices ``home`` and ``away``.
    limits : mapping of (task, voice, species) to ndarray, shape (201,)
        Quantiles of 1 − p(true class) of held-out cells taken as home and as away, at `LEVELS`.
    thresholds : mapping of species to float
        b of P(home).
    strangeness : mapping of species to Strangeness
        How unusual held-out cells are.
    held_out : mapping
        Accuracy on held-out cells: species → task → voice → figures.
    """

    columns: Integers
    foundation: Foundation
    voices: Mapping[tuple[str, str], Voice]
    limits: Mapping[tuple[str, str, str], Floats]
    thresholds: Mapping[str, float]
    strangeness: Mapping[str, Strangeness]
    held_out: Mapping[str, Any]

    def __post_init__(self) -> None:
        lab = lab_covariance(self.foundation.preprocessor)[np.ix_(self.columns, self.columns)]
        shapes = {name: shape.only(self.columns) for name, shape in self.foundation.shapes.items()}
        object.__setattr__(self, "_lab", lab)
        object.__setattr__(self, "_shapes", shapes)
        object.__setattr__(self, "_judged", Remembered(self._judge))
        object.__setattr__(self, "_typical", Remembered(self._typicality))

    def _local(self, species: str) -> ClassShapes:
        shapes: Mapping[str, ClassShapes] = self.__dict__["_shapes"]
        return shapes[voices.shape_species(species)]

    def completed(self, z: Floats) -> Floats:
        """The set's features, shape (n_cells, n_features), a missing one at its expectation given the others."""
        kept = np.full(z.shape, np.nan)
        kept[:, self.columns] = z[:, self.columns]
        return self.foundation.preprocessor.complete(kept)[0][:, self.columns]

    def judge(self, z: Floats, species: Sequence[str]) -> Judgement:
        """Judge cells.

        Parameters
        ----------
        z : ndarray, shape (n_cells, 41)
            Standardised features, NaN where missing; clipped here. Features outside the set are not used.
        species : sequence of str
            ``mouse``, ``human``; for any other the mean of both answers.

        Returns
        -------
        Judgement
            Read-only; that of cells asked about lately is remembered.
        """
        remembered: Remembered[Judgement] = self.__dict__["_judged"]
        return remembered(np.clip(z, -CLIP, CLIP), species)

    def _judge(self, z: Floats, species: Sequence[str]) -> Judgement:
        names = np.array([name if name in SPECIES else "" for name in species])
        broad, subclass, home, excitatory = (np.empty((len(z), *shape)) for shape in ((2,), (5,), (), (2,)))
        for name in np.unique(names):
            rows = names == name
            found = self._judge_one(z[rows], str(name)) if name else self._judge_unknown(z[rows])
            broad[rows], subclass[rows] = found.broad, found.subclass
            home[rows], excitatory[rows] = found.home, found.excitatory
        for part in (broad, subclass, home, excitatory):
            part.setflags(write=False)
        return Judgement(broad, subclass, home, excitatory)

    def _judge_unknown(self, z: Floats) -> Judgement:
        mouse, human = (self._judge_one(z, name) for name in SPECIES)
        with np.errstate(divide="ignore"):
            subclass = np.log(mouse.subclass)
        broad, subclass = voices.with_broad((mouse.broad[:, 0] + human.broad[:, 0]) / 2, subclass)
        home = np.maximum(mouse.home, human.home)
        return Judgement(broad, subclass, home, (mouse.excitatory + human.excitatory) / 2)

    def _judge_one(self, z: Floats, species: str) -> Judgement:
        local, net_input = z[:, self.columns], self.completed(z)
        likelihoods = self._likelihoods(local, species)
        home = voices.probability_home(self._ratio(likelihoods, species), self.thresholds[species])
        answers = [self._voice_answer(voice, net_input, likelihoods, species) for voice in VOICES]
        share = np.stack([home, 1 - home])[:, :, None]
        broad, subclass, apart = (np.stack([answer[k] for answer in answers]) for k in range(3))
        return Judgement((share * broad).sum(0), (share * subclass).sum(0), home, (share * apart).sum(0))

    def apart(self, z: Floats, species: str) -> dict[str, tuple[Floats, Floats]]:
        """Each voice's own probabilities of both tasks for mouse or human cells, before `Judgement.home` weighs them.

        Parameters
        ----------
        z : ndarray, shape (n_cells, 41)
            As in `judge`.
        species : str
            ``mouse`` or ``human``.

        Returns
        -------
        dict
            By voice, arrays of shape (n_cells, 2) and (n_cells, 5).
        """
        kept = np.clip(z, -CLIP, CLIP)
        likelihoods, net_input = self._likelihoods(kept[:, self.columns], species), self.completed(kept)
        return {voice: self._voice_answer(voice, net_input, likelihoods, species)[:2] for voice in VOICES}

    def _likelihoods(self, local: Floats, species: str) -> dict[str, Floats]:
        return {
            HOME: voices.home_likelihoods(local, self._local(species)),
            AWAY: self._away_likelihoods(local, species),
        }

    def _away_likelihoods(self, local: Floats, species: str) -> Floats:
        lab: Floats = self.__dict__["_lab"]
        return voices.away_likelihoods(local, self._local(species), lab, voices.REMEASURED[self.columns])

    def _ratio(self, likelihoods: Mapping[str, Floats], species: str) -> Floats:
        shapes = self._local(species)
        task = SUBCLASS if species == Species.MOUSE else BROAD
        home, away = (
            voices.log_density(likelihoods[voice], voices.component_proportions(task, voice, shapes))
            for voice in VOICES
        )
        return np.asarray(home - away)

    def _voice_answer(
        self, voice: str, net_input: Floats, likelihoods: Mapping[str, Floats], species: str
    ) -> tuple[Floats, Floats, Floats]:
        """Both tasks' probabilities in one voice, and what each model alone gives to excitatory."""
        mouse = Species.MOUSE.value
        broad = self._log_posterior(BROAD, voice, net_input, likelihoods[voice], species)
        if species == mouse:
            subclass = self._log_posterior(SUBCLASS, voice, net_input, likelihoods[voice], mouse)
            apart = np.exp(np.column_stack([broad[:, 0], subclass[:, 0]]))
            return *voices.reconciled(broad, subclass), apart
        one = self.voices[SUBCLASS, voice]
        subclass = np.log(one.members(net_input).mean(0) + 1e-6)
        alone = np.exp(broad[:, 0])
        return *voices.with_broad(alone, subclass), np.column_stack([alone, alone])

    def _log_posterior(self, task: str, voice: str, net_input: Floats, likelihoods: Floats, species: str) -> Floats:
        one = self.voices[task, voice]
        parts = {
            "net": one.members(net_input).mean(0),
            "t": voices.t_posterior(task, voice, likelihoods, self._local(species)),
        }
        if one.kernel is not None:
            parts["kernel"] = one.kernel.members(net_input, species == Species.HUMAN).mean(0)
        return voices.pooled(voice, parts, one.temperatures[species])

    def limits_of(self, task: str, species: Sequence[str], home: Floats, coverage: float) -> Floats:
        """Largest 1 − p of a class in the set, shape (n_cells,): that of the likelier voice.

        Of the two broad classes none with a probability above 1 − coverage is left out, though fewer would do.
        """
        at = {
            (name, voice): float(np.interp(coverage, LEVELS, self.limits[task, voice, name]))
            for name in SPECIES
            for voice in VOICES
            if (task, voice, name) in self.limits
        }
        known = [name if (name, HOME) in at else Species.MOUSE.value for name in species]
        ends = np.array([[at[name, HOME], at[name, AWAY]] for name in known]).reshape(-1, 2)
        limits = np.where(home >= EVEN, ends[:, 0], ends[:, 1])
        return np.asarray(np.maximum(limits, coverage) if task == BROAD else limits)

    def typicality(self, z: Floats, species: Sequence[str]) -> Floats:
        """Share of held-out cells, as recorded at home or elsewhere, that are at least as unusual, shape (n_cells,).

        Standardised features here are not clipped.
        """
        remembered: Remembered[Floats] = self.__dict__["_typical"]
        return remembered(z, species)

    def _typicality(self, z: Floats, species: Sequence[str]) -> Floats:
        result = np.empty(len(z))
        names = np.array([voices.shape_species(name) for name in species])
        for name in np.unique(names):
            rows = names == name
            distance, largest = self.unusual(z[rows], str(name))
            result[rows] = self.strangeness[str(name)].share(distance, np.abs(largest).max(1, initial=0.0))
        result.setflags(write=False)
        return result

    def unusual(self, z: Floats, species: str) -> tuple[Floats, Floats]:
        """How far cells lie from their likeliest class in any laboratory; see `strangeness.deviations`."""
        lab: Floats = self.__dict__["_lab"]
        return deviations(z[:, self.columns], self._local(species), lab + allowance(self.columns))

    def from_home(self, z: Floats, species: str) -> Floats:
        """Each feature's distance from the mean of the database's likeliest class, in its standard deviations.

        Shape (n_cells, n_features); NaN where missing.
        """
        shapes, local = self._local(species), z[:, self.columns]
        nearest = voices.home_likelihoods(local, shapes).argmax(1)
        spread = np.sqrt(np.diagonal(shapes.covariances, axis1=1, axis2=2))
        return np.asarray((local - shapes.means[nearest]) / spread[nearest])

    def gates(self, z: Floats, species: Sequence[str]) -> Floats:
        """LSPIN's gates, shape (n_cells, 41): those of the likelier voice; 0 for missing features."""
        net_input = self.completed(z)
        home = self.judge(z, species).home[:, None] >= EVEN
        inside = np.where(home, *(self.voices[SUBCLASS, voice].gates(net_input) for voice in VOICES))
        result = np.zeros(z.shape)
        result[:, self.columns] = inside
        return np.where(np.isnan(z), 0.0, result)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All arrays to save; weights in half precision, to which training rounds them."""
        result: dict[str, npt.NDArray[np.generic]] = {"columns": self.columns}
        for (task, voice), one in self.voices.items():
            for name, value in one.net.state_dict().items():
                result[f"net.{task}.{voice}.{name}"] = value.numpy().astype(np.float16)
            if one.kernel is not None:
                for name, array in one.kernel.arrays().items():
                    result[f"kernel.{task}.{voice}.{name}"] = array.astype(np.float16)
        result |= {"limits." + ".".join(key): value for key, value in self.limits.items()}
        return result | {f"strangeness.{name}": one.table for name, one in self.strangeness.items()}

    def card(self) -> dict[str, Any]:
        """Everything but the arrays."""
        return {
            "features": [FEATURE_NAMES[k] for k in self.columns],
            "training": self.foundation.training,
            "source": self.foundation.source,
            "thresholds": dict(self.thresholds),
            "voices": {
                f"{task}.{voice}": {
                    "architecture": dict(one.architecture),
                    "temperatures": dict(one.temperatures),
                }
                for (task, voice), one in self.voices.items()
            },
            "held_out": dict(self.held_out),
        }

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, npt.NDArray[np.generic]], card: Mapping[str, Any], foundation: Foundation
    ) -> "FeatureSetModel":
        """Rebuild from the output of `arrays` and `card`.

        Raises
        ------
        KeyError, RuntimeError
            If something is missing or has another shape than the architecture's.
        """
        every: dict[tuple[str, str], Voice] = {}
        for key, entry in card["voices"].items():
            task, voice = key.split(".")
            net = _NETS[task](**entry["architecture"])
            state = _below(arrays, f"net.{key}.")
            net.load_state_dict({name: torch.as_tensor(value.astype(np.float32)) for name, value in state.items()})
            net.eval()
            kernel = Kernel.from_arrays(_below(arrays, f"kernel.{key}.")) if voice == HOME else None
            every[task, voice] = Voice(net, entry["architecture"], kernel, entry["temperatures"])
        limits: dict[tuple[str, str, str], Floats] = {}
        for name, value in arrays.items():
            if name.startswith("limits."):
                task, voice, species = name.removeprefix("limits.").split(".")
                limits[task, voice, species] = np.asarray(value, dtype=np.float64)
        strange = {
            name.removeprefix("strangeness."): Strangeness(np.asarray(value, dtype=np.float64))
            for name, value in arrays.items()
            if name.startswith("strangeness.")
        }
        columns = np.asarray(arrays["columns"], dtype=np.int64)
        return cls(columns, foundation, every, limits, card["thresholds"], strange, card["held_out"])


def _below(arrays: Mapping[str, npt.NDArray[np.generic]], prefix: str) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays whose name starts with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
