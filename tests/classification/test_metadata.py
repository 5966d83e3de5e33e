"""What a user said survives the way to the command line, and to JSON and back."""

import argparse
import json

import pytest

from neuroclass.classification.metadata import CellMetadata, from_json, to_cli_arguments, to_json
from neuroclass.commands import classify
from neuroclass.commands.arguments import metadata_of
from neuroclass.ephys.conditions import Conditions
from neuroclass.errors import SettingsError
from neuroclass.features import Stimulus
from neuroclass.io.channels import ChannelMapping
from neuroclass.predictors.priors import Prior, parse_prior

EVERYTHING = CellMetadata(
    "mouse",
    {"seal_gohm": 2.123456789012345, "input_resistance_mohm": 151.0},
    ChannelMapping("-1 odd name", "1", "mV", "nA", "IV,1.3", 20.0, -67.123456789, 0.5, 3.25),
    {(3, 0): Stimulus.RAMP, (3, 1): None},
    Conditions(24.5, -3.25, True, "-P60", "V1 layer 5", preparation="culture"),
    Prior({"Pvalb": 0.0, "Sst": 1 / 3}),
    "day 2",
    frozenset({3, 7, 12}),
)


@pytest.mark.parametrize("metadata", [CellMetadata(), EVERYTHING])
def test_json_gives_it_back(metadata):
    assert from_json(json.loads(json.dumps(to_json(metadata)))) == metadata


def test_nothing_said_is_nothing_written():
    assert to_json(CellMetadata()) == {} and to_cli_arguments(CellMetadata()) == []


def test_the_command_line_says_the_same():
    parser = argparse.ArgumentParser()
    classify.add_parser(parser.add_subparsers())
    args = parser.parse_args(["classify", "a.abf", *to_cli_arguments(EVERYTHING)])
    assert metadata_of(args, parse_prior(args.prior)) == EVERYTHING


@pytest.mark.parametrize(
    "told",
    [{"entered": 3}, {"mapping": {"x": 1}}, {"protocols": ["?"]}, {"prior": {"a": 1}}, {"without_sweeps": ["x"]}],
)
def test_what_cannot_be_read_is_refused(told):
    with pytest.raises(SettingsError, match="enter it again"):
        from_json(told)
