"""Settings by name: every one declared, written and read back, checked; the command line does what the page does."""

import argparse
import shlex
from dataclasses import fields, is_dataclass

import pytest

from neuroclass.commands import train
from neuroclass.config import ValidationSettings, declared
from neuroclass.errors import SettingsError
from neuroclass.training.command_line import command
from neuroclass.training.runs import Cells, RunConfig
from neuroclass.training.settings import (
    PRESETS,
    TITLES,
    all_values,
    named_settings,
    parse_setting,
    recipe,
    with_values,
    written_setting,
)
from neuroclass.types.models import MODELS


@pytest.mark.parametrize("system", list(MODELS))
def test_no_setting_is_left_undeclared(system: str) -> None:
    settings = recipe(system)
    for part in (settings, settings.augment, settings.optimiser):
        plain = {one.name for one in fields(part) if not is_dataclass(getattr(part, one.name))}
        assert plain == set(declared(part))
    for one in named_settings(system).values():
        assert one.setting.meaning and one.setting.low < one.setting.high


@pytest.mark.parametrize("system", list(MODELS))
def test_settings_are_read_as_they_are_written(system: str) -> None:
    for values in (all_values(system, recipe(system)), *PRESETS[system].values()):
        read = dict(parse_setting(system, written_setting(name, value)) for name, value in values.items())
        assert read == dict(values)
        assert {name: all_values(system, with_values(system, read))[name] for name in read} == read


@pytest.mark.parametrize("system", list(MODELS))
def test_each_setting_refuses_what_lies_outside_its_range(system: str) -> None:
    for name, one in named_settings(system).items():
        for wrong in (one.setting.low - 1, one.setting.high + 1):
            wrong = int(wrong) if isinstance(one.default, int | tuple) else wrong
            with pytest.raises(SettingsError, match=f"{name} is .* expected .* from"):
                with_values(system, {name: (wrong,) if isinstance(one.default, tuple) else wrong})
        with pytest.raises(SettingsError, match=name):
            with_values(system, {name: float("nan")})


CONFIGS = (
    RunConfig("lspin"),
    RunConfig("dann", {"hidden": (32, 4), "steps": 40}, ValidationSettings(0.3, 5), "it's ours", "/some where", jobs=1),
    RunConfig("lspin", {}, own="my lab.csv", cells=Cells.BOTH, align=True, compare=True),
    RunConfig("lspin", {"dropout": 0.0}, own="lab.csv", cells=Cells.OWN, protocol="donor-cv", repeats=2),
    RunConfig("dann", {}, ValidationSettings(0.0), report=True, baselines=True, jobs=3),
    RunConfig("dann", dict(PRESETS["dann"]["paper"]), ValidationSettings(0.0)),
)


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_the_command_that_a_page_shows_asks_for_the_same_run(config: RunConfig, monkeypatch) -> None:
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    parser = argparse.ArgumentParser()
    train.add_parser(parser.add_subparsers())
    args = parser.parse_args(shlex.split(command(config))[3:])
    assert train._config(args) == config
    assert RunConfig.from_json(config.to_json()) == config


def test_every_setting_has_a_title_of_its_own_that_people_read() -> None:
    for system in MODELS:
        titles = [TITLES[name] for name in named_settings(system)]
        assert len(set(titles)) == len(titles)
    assert not set(TITLES) - {name for system in MODELS for name in named_settings(system)}
