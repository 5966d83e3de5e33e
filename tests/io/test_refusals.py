"""Every refusal of a recording is walked: what it offers works when followed, or it offers nothing."""

import argparse
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from neuroclass import errors
from neuroclass.commands import extract
from neuroclass.commands.arguments import mapping_of
from neuroclass.ephys.cell_features import extract_features
from neuroclass.errors import RecordingError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings
from tests.io.refusal_cases import CASES, RATE_HZ, Case, cell
from tests.io.refusal_sites import Site, sites

_NEVER_SHOWN = {
    "has no current under this reading": "it only sorts out readings, none of which is then offered",
    "declares": "the samples of the whole file are counted before, against the same limit",
    "There is no file": "the command line and the page say it before",
}
_CLASSES = [name for name in dir(errors) if name.endswith("Error")]


@dataclass(frozen=True)
class Refused:
    """A file that was refused, the error, and where it was first raised."""

    path: Path
    error: RecordingError
    modules: frozenset[str]


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Refused]:
    """A case's file and its refusal, by its name."""

    @cache
    def of(name: str) -> Refused:
        return _refuse(CASES[name], tmp_path_factory.mktemp("case"))

    return of


def _refuse(case: Case, folder: Path) -> Refused:
    path = case.build(folder)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(RecordingError) as caught:
        if case.patch:
            case.patch(patch)
        read_recordings(path, mapping=case.mapping, limits=case.limits, sandboxed=False)
    return Refused(path, caught.value, frozenset(_modules(caught.value)))


def _modules(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            yield Path(trace.tb_frame.f_code.co_filename).stem
            trace = trace.tb_next
        error = error.__context__


@pytest.mark.parametrize("name", CASES)
def test_a_way_out_that_is_offered_works(name: str, refused: Callable[[str], Refused]) -> None:
    path, error = refused(name).path, refused(name).error
    assert len(error.proposals) == CASES[name].offered, str(error)
    for proposal in error.proposals:
        parser = argparse.ArgumentParser()
        extract.add_parser(parser.add_subparsers())
        words = shlex.split(proposal.command_words)
        mapping = mapping_of(parser.parse_args(["extract", str(path), *words]))
        assert mapping == ChannelMapping(**proposal.options)
        (read,) = read_recordings(path, mapping=mapping, sandboxed=False)
        truth = {s.number: s for s in cell().sweeps} if len(read.sweeps) > 1 else {0: cell().sweeps[-1]}
        for sweep in read.sweeps:
            planted = truth[sweep.number]
            n = min(sweep.n_times, planted.n_times)
            np.testing.assert_allclose(sweep.v_mv[:n], planted.v_mv[:n], atol=0.05)
            np.testing.assert_allclose(sweep.i_pa[:n], planted.i_pa[:n], atol=0.05)
        assert extract_features(read).values["vrest"] == pytest.approx(-70.0, abs=0.1)


@pytest.mark.parametrize("name", CASES)
def test_a_page_can_show_the_message(name: str, refused: Callable[[str], Refused]) -> None:
    error = refused(name).error
    assert "--" not in error.plain and not any(word in error.plain for word in _CLASSES)
    offered = [p.command_words for p in error.proposals] or ([CASES[name].words] if CASES[name].words else [])
    told = f" On the command line: {' or '.join(offered)}" if any(offered) else ""
    assert str(error) == error.plain + told
    assert len(error.plain) < 1200


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.words])
def test_a_value_that_is_left_to_the_user_is_read(name: str, refused: Callable[[str], Refused]) -> None:
    listed = re.search(r"a gain of ([\d., ]+);", refused(name).error.plain)
    assert listed
    gains = [float(text) for text in listed.group(1).split(",")]
    assert len(gains) > 1
    for gain in gains:
        assert read_recordings(refused(name).path, mapping=ChannelMapping(stimulus_gain=gain), sandboxed=False)


@pytest.mark.parametrize("site", sites(), ids=str)
def test_every_refusal_in_the_readers_is_walked(site: Site, refused: Callable[[str], Refused]) -> None:
    if any(re.search(re.escape(words), site.pattern.replace("\\", "")) for words in _NEVER_SHOWN):
        return
    met = [
        name
        for name, one in ((name, refused(name)) for name in CASES)
        if re.match(site.pattern, one.error.plain, re.DOTALL) and site.module in {*one.modules, "nwb_series"}
    ]
    assert met, f"no case of CASES in refusal_cases.py is refused with: {site.pattern}"


def test_the_cases_are_those_of_one_cell() -> None:
    assert {s.rate_hz for s in cell().sweeps} == {RATE_HZ}
