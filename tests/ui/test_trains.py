"""The firing of every long square, and the trains that are drawn."""

from dataclasses import replace

from neuroclass.charts import traces
from neuroclass.charts.cell_plots import firing
from neuroclass.classification.analysis import analyse
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.cohort.examples import EXAMPLES
from neuroclass.ui.cells.panels import SHOWN_TRAINS, trains_of


def test_adaptation_is_measured_on_every_square_though_few_are_drawn_and_equal_amplitudes_are_told_apart():
    recording = simulate_demo_cell(EXAMPLES["fast-spiking"].cell_id)
    table, trains, amplitudes = trains_of(analyse(recording).sweeps)
    assert len(table) > len(trains) == len(amplitudes) == SHOWN_TRAINS
    strongest = recording.sweeps[[one.number for one in recording.sweeps].index(int(table["sweep"].iloc[-1]))]
    again = [replace(strongest, number=strongest.number + 100 + k) for k in range(3)]
    table, trains, amplitudes = trains_of(analyse(replace(recording, sweeps=(*recording.sweeps, *again))).sweeps)
    assert table["amplitude (pA)"].value_counts().max() == 4
    assert len(trains) == len(amplitudes) == SHOWN_TRAINS
    assert any("sweep" in title for title in trains)
    assert len(firing(trains, traces.amplitude_colours(amplitudes), True).data) == SHOWN_TRAINS
