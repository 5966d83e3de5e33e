"""Two visitors do anything in any order: every number shown or kept is that of a cold computation."""

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from neuroclass.classification import models as loading
from neuroclass.classification.classify import classify_cells
from neuroclass.classification.inputs import CellInput, InputFile
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Model, Models, load_models
from neuroclass.classification.result import CellVerdict
from neuroclass.cohort.demo import load_demo
from neuroclass.config import PROJECT_DIR
from neuroclass.ephys.conditions import Conditions
from neuroclass.explain.counterfactual import counterfactual as cold_counterfactual
from neuroclass.features import Stimulus
from neuroclass.predictors.priors import Prior
from neuroclass.reference.cells import nearest_references
from neuroclass.reference.ranges import class_values
from neuroclass.ui.classify import uploads
from neuroclass.ui.evidence import counterfactual, references
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.history import store
from tests.ephys import planted
from tests.io.test_recordings_formats import table as sweep_table

STEPS = 28
NAMES = ("a.csv", "b.csv")


def a_table(tau: float) -> bytes:
    return f"tau,sag,vrest,ri\n{tau},0.1,-70,150\n".encode()


def a_recording() -> bytes:
    cell = planted.recording(planted.Cell(rate_hz=10_000.0), planted.FEW_PA)
    return sweep_table(replace(cell, sweeps=cell.sweeps[:4]), "time (s)", "mV", "pA", 1.0).to_csv(index=False).encode()


@dataclass
class Session:
    """One visitor."""

    owner: str
    state: dict[str, Any] = field(default_factory=dict)
    files: list[InputFile] = field(default_factory=list)
    metadata: CellMetadata = CellMetadata()

    def inputs(self) -> list[CellInput]:
        return [CellInput((file,)) for file in self.files]


class World:
    """The server and a cold computation beside it."""

    def __init__(self, rng: random.Random, models: list[Models], monkeypatch: pytest.MonkeyPatch) -> None:
        self.rng, self.models, self.loaded = rng, models, models[0]
        self.contents = [a_table(20), a_table(9), a_recording()]
        self.sessions = [Session("one" + "x" * 40), Session("two" + "x" * 40)]
        self.now = self.sessions[0]
        self.cold: dict[Any, list[dict[str, Any]]] = {}
        monkeypatch.setattr(loading, "load_models", lambda *_, **__: self.loaded)
        monkeypatch.setattr(uploads, "visitor", lambda: self.now.owner)
        self._patch = monkeypatch

    def enter(self, session: Session) -> None:
        self.now = session
        self._patch.setattr(st, "session_state", session.state)

    def upload(self) -> None:
        content, name = self.rng.choice(self.contents), self.rng.choice(NAMES)
        digest, _ = store.spool().put(io.BytesIO(content), self.now.owner)
        file = InputFile(name, store.spool().path(digest), digest)
        others = [one for one in self.now.files if (one.name, one.digest) != (name, digest)]
        self.now.files = [*others[-1:], file]

    def rename(self) -> None:
        if self.now.files:
            file = self.now.files[-1]
            other = next(name for name in NAMES if name != file.name)
            self.now.files[-1] = InputFile(other, file.content, file.sha256)

    def correct(self) -> None:
        for cell_input in self.now.inputs():
            uploads.correct(cell_input, self.rng.choice([{}, {(0, 0): None}, {(0, 0): Stimulus.RAMP}]))

    def species(self) -> None:
        self.now.metadata = replace(self.now.metadata, species=self.rng.choice([None, "mouse", "human"]))

    def prior(self) -> None:
        chosen = self.rng.choice([{}, {"excitatory": 0.0}, {"Vip": 3.0}])
        self.now.metadata = replace(self.now.metadata, prior=Prior(chosen))

    def conditions(self) -> None:
        chosen = self.rng.choice([Conditions(), Conditions(temperature_c=25.0, correct_temperature=True)])
        self.now.metadata = replace(self.now.metadata, conditions=chosen)

    def delete(self) -> None:
        if self.rng.random() < 0.5:
            uploads.forget_all()
            self.now.files = []
        else:
            mine = store.history().find(self.now.owner)
            store.history().delete(self.now.owner, [one.id for one in mine[:1]])
            self.now.files = []
            self.now.state.pop("entries", None)
            self.now.state.pop("finished", None)

    def train_anew(self) -> None:
        self.loaded = self.rng.choice(self.models)

    def expected(self, cell_input: CellInput) -> list[dict[str, Any]]:
        """The cold computation, remembered by everything that it was given."""
        metadata = uploads.corrected(cell_input, self.now.metadata)
        file = cell_input.files[0]
        key = (file.sha256, file.name, repr(metadata), id(self.loaded))
        if key not in self.cold:
            content = Path(file.content).read_bytes()
            measured = measure(CellInput.single(file.name, content), metadata)
            answers = classify_cells(measured, self.loaded, prior=metadata.prior)
            self.cold[key] = [one.to_json() for one in answers]
        return self.cold[key]

    def check(self) -> None:
        """Everything that the page would show and what the history keeps of it."""
        for cell_input in self.now.inputs():
            expected = self.expected(cell_input)
            answers = uploads.answer(cell_input, self.now.metadata)
            assert [one.to_json() for one in answers] == expected
            entry = store.history().get(self.now.owner, uploads.keep(cell_input, self.now.metadata))
            assert entry.name == cell_input.name == entry.files[0].name
            kept = store.history().answers(self.now.owner, entry.id)[self.loaded.version]
            assert [{name: one[name] for name in one if name != uploads.TRACE} for one in kept] == expected
            if self.rng.random() < 0.15:
                self.check_evidence(answers)

    def check_evidence(self, answers: list[Any]) -> None:
        for verdict in (one for one in answers if isinstance(one, CellVerdict)):
            case = Case("key", verdict, self.now.metadata, None, models=self.loaded)
            labels = list(verdict.broad.probabilities)
            given = (verdict.species, verdict.features)
            predictor = self.loaded.named("dann").predictor
            shown = references.nearest(case, verdict.broad)
            pools = references.with_sweeps(load_demo())
            assert shown == nearest_references(predictor, verdict.features, verdict.species, list(shown), pools)
            found = counterfactual._counterfactual(
                self.loaded, load_demo(), *given, "dann", labels[0], counterfactual._QUANTILES, False
            )
            allowed = class_values(verdict.species, labels[0])
            words = f"5% to 95% quantiles of the database's {labels[0]} cells"
            again = cold_counterfactual(predictor, verdict.features, verdict.species, labels[0], allowed, words, False)
            assert repr(found) == repr(again)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], World]]:
    if not (PROJECT_DIR / "models" / "lspin" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path))
    first = load_models()
    network = replace(first.lspin.network, card={**first.lspin.network.card, "weights_sha256": "0" * 64})
    second = replace(first, lspin=Model(first.lspin.predictor, network, first.lspin.subsets))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield lambda seed: World(random.Random(seed), [first, second], monkeypatch)


def test_any_sequence_of_two_visitors_actions_shows_and_keeps_what_a_cold_computation_gives(world):
    one = world(11)
    actions = ("upload", "upload", "rename", "correct", "species", "prior", "conditions", "delete", "train_anew")
    done = []
    for _ in range(STEPS):
        one.enter(one.rng.choice(one.sessions))
        done.append((one.now.owner[:3], action := one.rng.choice(actions)))
        getattr(one, action)()
        try:
            one.check()
        except AssertionError as error:
            raise AssertionError(f"after {done}") from error
    assert len(one.cold) >= 12 and {action for _, action in done} == set(actions)
    theirs = {session.owner: {entry.id for entry in store.history().find(session.owner)} for session in one.sessions}
    assert not set.intersection(*theirs.values())
    assert any(isinstance(cell, MeasuredCell) for cell in measure(CellInput.single("a.csv", one.contents[2])))


def test_a_sweep_left_out_by_one_visitor_is_measured_for_the_other_whoever_comes_first(world):
    one = world(1)
    one.contents, found = one.contents[2:], {}
    for session in one.sessions:
        one.enter(session)
        one.upload()
    mine, theirs = one.sessions
    for numbers in ((), (0,), (1, 2), ()):
        one.enter(mine)
        (cell_input,) = mine.inputs()
        uploads.leave_out(cell_input, numbers)
        one.check()
        found[numbers] = uploads.answer(cell_input, mine.metadata)[0].without_sweeps
        one.enter(theirs)
        one.check()
        assert uploads.answer(theirs.inputs()[0], theirs.metadata)[0].without_sweeps == ()
    assert found == {(): (), (0,): (0,), (1, 2): (1, 2)}
