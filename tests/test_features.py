"""The 41 features: names, units and the ranges that ship."""

from pathlib import Path

import pandas as pd
import pytest

from neuroclass.features import BY_NAME, FEATURE_NAMES, FEATURES, PERSON_FEATURES, Stimulus, features_of, rounded
from neuroclass.reference.ranges import load_ranges, overall_ranges, percentile


def test_names_are_the_published_columns_in_order(real_data_dir: Path):
    columns = list(pd.read_csv(real_data_dir / "actb_mouse_ephys_features.csv", nrows=0).columns)
    assert columns[5:-1] == list(FEATURE_NAMES)


def test_every_feature_has_one_stimulus_and_the_groups_have_the_known_sizes():
    sizes = {stimulus: len(features_of(stimulus)) for stimulus in Stimulus}
    assert sizes == {"noise": 14, "long_square": 13, "ramp": 6, "short_square": 6, "none": 2}
    assert sum(sizes.values()) == len(FEATURES) == len(set(FEATURE_NAMES)) == 41
    assert set(PERSON_FEATURES) == {"seal_gohm", "input_resistance_mohm"}


def test_titles_carry_the_unit_a_person_reads():
    assert BY_NAME["width"].title == "Width (noise, ms)"
    assert BY_NAME["vrest"].title == "Resting potential (long square, mV)"
    assert BY_NAME["sag"].title == "Sag (long square, ratio)"
    assert BY_NAME["threshold_i_long_square"].title == "Rheobase (long square, pA)"
    assert BY_NAME["threshold_i_ramp"].named == "Current at threshold (ramp)"
    assert BY_NAME["seal_gohm"].named == BY_NAME["seal_gohm"].label
    assert BY_NAME["latency"].display_factor * 0.02 == 20.0


def test_only_voltages_end_in_mv():
    for spec in FEATURES:
        is_voltage = "_v" in spec.name or spec.name in ("vm_for_sag", "vrest")
        assert (spec.unit == "mV") == is_voltage, spec.name


def test_shipped_ranges_are_those_of_the_tables(real_cohort):
    ranges = load_ranges()
    for species in ("mouse", "human"):
        frame = real_cohort.of_species(species).frame
        for name in FEATURE_NAMES:
            low, median, high = frame[name].quantile([0.005, 0.5, 0.995])
            found = ranges[species][name]
            assert (found.low, found.median, found.high) == pytest.approx((low, median, high), rel=1e-5, abs=1e-9)


def test_overall_range_holds_both_species():
    overall = overall_ranges()
    for ranges in load_ranges().values():
        assert all(overall[n].low <= ranges[n].low and overall[n].high >= ranges[n].high for n in FEATURE_NAMES)


def test_percentiles_follow_the_class(real_cohort):
    widths = real_cohort.frame.set_index("subclass")["width"]
    median = float(widths.loc["Pvalb"].median())
    assert abs(percentile("width", median, "mouse", "Pvalb") - 50) < 0.5
    assert percentile("width", median, "mouse", "Glutamatergic") == 5.0
    assert percentile("width", median, "human", "Pvalb") == percentile("width", median, "mouse", "Pvalb")
    assert percentile("width", median, "mouse", "no such class") is None


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (999.6, 3, "1,000"),
        (999.4, 3, "999"),
        (12345.0, 3, "12,345"),
        (-52.04, 3, "−52"),
        (0.04826, 3, "0.0483"),
        (1500.3, 5, "1,500.3"),
        (-24000.0, 5, "−24,000"),
        (-180.14, 5, "−180.14"),
    ],
)
def test_numbers_have_no_exponent_and_a_refused_one_keeps_what_tells_it_from_its_limit(
    value: float, digits: int, text: str
) -> None:
    assert rounded(value, digits) == text
