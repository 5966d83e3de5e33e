"""Proposals: what is searched when time is short, and what is never offered."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from neuroclass.ephys.sweep import Recording
from neuroclass.errors import RecordingError, UnitsError
from neuroclass.io.channels import ChannelMapping, response_mv, stimulus_pa
from neuroclass.io.proposals import TimeLeft, with_proposals
from tests.io.abf_files import steps

AMPLE = TimeLeft(60.0, 0.01)


def read(mapping: ChannelMapping, factor: float = 20.0) -> Sequence[Recording]:
    """A cell whose stored potentials still hold a gain."""
    cell = steps(20_000.0)
    return [
        replace(
            cell,
            sweeps=tuple(
                replace(s, v_mv=response_mv(s.v_mv * factor, "mV", mapping), i_pa=stimulus_pa(s.i_pa, "pA", mapping))
                for s in cell.sweeps
            ),
        )
    ]


def test_without_time_the_refusal_stays_as_it_is() -> None:
    error = UnitsError("too large.")
    for left in (TimeLeft(0.0, 0.0), TimeLeft(5.0, 3.0)):
        refused = with_proposals(error, ChannelMapping(), [], read, lambda _: None, left)
        assert refused is error and not refused.proposals
    assert with_proposals(error, ChannelMapping(), [], read, lambda _: None, AMPLE).proposals


def test_what_a_user_who_follows_it_would_be_refused_is_not_offered() -> None:
    tried: list[ChannelMapping] = []

    def refuse(mapping: ChannelMapping) -> None:
        tried.append(mapping)
        raise RecordingError("still refused")

    refused = with_proposals(UnitsError("too large."), ChannelMapping(), [], read, refuse, AMPLE)
    assert tried == [ChannelMapping(response_gain=20.0)]
    assert not refused.proposals and "gain of" not in refused.plain and "Record or export both" in refused.plain


@pytest.mark.parametrize("factor", [2.0, 10.0, 20.0, 100.0, 500.0, 0.1, 0.05])
def test_the_planted_gain_is_the_one_that_is_proposed(factor: float) -> None:
    (one,) = with_proposals(
        UnitsError("?"), ChannelMapping(), [], lambda mapping: read(mapping, factor), lambda _: None, AMPLE
    ).proposals
    assert one.options == {"response_gain": pytest.approx(factor)}


def test_a_trace_without_a_cell_is_offered_nothing() -> None:
    rng = np.random.default_rng(0)
    noise = [rng.normal(0.0, 3.0, s.n_times) for s in steps(20_000.0).sweeps]

    def quiet(mapping: ChannelMapping) -> Sequence[Recording]:
        (cell,) = read(mapping)
        sweeps = zip(cell.sweeps, noise, strict=True)
        return [replace(cell, sweeps=tuple(replace(s, v_mv=response_mv(v, "mV", mapping)) for s, v in sweeps))]

    refused = with_proposals(UnitsError("?"), ChannelMapping(), [], quiet, lambda _: None, AMPLE)
    assert not refused.proposals and "No channel looks like" in refused.plain


def test_two_currents_of_different_size_are_two_readings() -> None:
    """A command and its record are one current; a copy at half the size is another."""
    from neuroclass.io.pairings import Pairing

    def scaled(mapping: ChannelMapping) -> Sequence[Recording]:
        if mapping.stimulus is None:
            raise UnitsError("which?")
        (cell,) = read(mapping, 1.0)
        factor = {"full": 1.0, "record": 1.05, "half": 0.5}[mapping.stimulus]
        return [replace(cell, sweeps=tuple(replace(s, i_pa=s.i_pa * factor) for s in cell.sweeps))]

    pairings = [Pairing({"stimulus": name}, current=name) for name in ("full", "record", "half")]
    refused = with_proposals(UnitsError("?"), ChannelMapping(), pairings, scaled, lambda _: None, AMPLE)
    assert [p.options for p in refused.proposals] == [{"stimulus": "full"}, {"stimulus": "half"}]
