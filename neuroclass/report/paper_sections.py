"""The reproduced paper section by section: what was published, what we get either way, and why they differ.

What each figure shows is taken from the paper's public code; numbers are called published only where they are printed
in the paper.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from neuroclass.cell_types import Species
from neuroclass.evaluation.dann_selection import OWN, TRAINING
from neuroclass.report import paper_figures as figures
from neuroclass.report.paper_figure_sections import (
    figure2,
    figure4,
    figure5,
    figure8,
    figure9,
    figure10,
    shap_section,
)
from neuroclass.report.paper_format import COLUMNS, TITLES, Drawing, Section, interval, metric, number, shown
from neuroclass.reports.paper_store import Reproduction


def _both(metrics: Mapping[str, Any]) -> str:
    return f"{interval(metrics['accuracy'])} / {number(metrics['macro_f1']['mean'])}"


def _rows(rows: list[dict[str, Any]], both: bool) -> pd.DataFrame:
    def name(row: Mapping[str, Any]) -> str:
        cells = f", {row['cells']} cells" if both else ""
        return f"{TITLES[row['system']]}{cells}"

    values = [
        (name(row), shown(row["published"]), shown(row["chosen"]), shown(row["unchosen"]), _both(row["honest"]))
        for row in rows
    ]
    return pd.DataFrame(values, columns=list(COLUMNS))


def preface(found: Reproduction) -> str:
    """What a reader must know before any number: which cells, under which two protocols."""
    cells = found.numbers["cells"]
    return (
        f"{cells['n_mouse']:,} mouse and {cells['n_human']:,} human cells of {cells['n_donors']:,} donors from "
        f"{cells['source']}. Published protocol: the splits, scalers and choices on test cells of the paper's public "
        f"code. Honest protocol: donor-grouped, stratified 5-fold cross-validation, {_repeats(found)}; scaler and "
        "early stopping inside the fold, nothing chosen on its test cells. Numbers are accuracy / macro F1, fractions "
        "of the tested cells; brackets are 95% intervals over donors, ± the standard deviation over runs that differ "
        "in their random numbers."
    )


def _repeats(found: Reproduction) -> str:
    if not found.numbers["stored"]:
        return "one repeat"
    return (
        "five repeats, as in the reports of the shipped models, which are about just these cells (one repeat of the "
        "paper's DANN)"
    )


def warning(found: Reproduction) -> str:
    """Said on top where the cells are simulated; else empty."""
    if not found.simulated:
        return ""
    return (
        "These cells are simulated. The published numbers are about other cells, recorded ones of the Allen Cell Types "
        "Database; beside numbers of simulated cells they compare nothing. Name the folder of the published tables "
        "with --data."
    )


def sections(found: Reproduction) -> tuple[Section, ...]:
    """All sections, in the paper's order, the choice on the test cells first.

    Parameters
    ----------
    found : Reproduction
        From `reproduce_paper`.

    Returns
    -------
    tuple of Section
    """
    return (
        _selection(found),
        _table1(found),
        _table2(found),
        figure2(),
        figure4(found),
        figure5(found),
        figure8(found),
        figure9(found),
        figure10(found),
        shap_section(found),
    )


def _selection(found: Reproduction) -> Section:
    lspin, dann = found.numbers["selection"]["lspin"], found.numbers["selection"]["dann"]
    human = Species.HUMAN.value
    columns = ["", "LSPIN, five mouse subclasses", "DANN, human cells"]
    rows = [
        ("published", number(lspin["published"]), number(dann["published"][human])),
        (
            "chosen by the test cells",
            f"{number(lspin['by_test']['accuracy'])} (best of {lspin['n_settings']})",
            f"{number(dann['by_test'][f'{human} {OWN}'])} (best of {dann['n_trials']})",
        ),
        ("the same settings, trained again", metric(lspin["again"]), metric(dann["again"][f"{human} {OWN}"])),
        ("chosen by validation cells", number(lspin["by_validation"]["accuracy"]), "–"),
        ("published settings, not chosen", metric(lspin["seeds"]), metric(dann["seeds"][f"{human} {OWN}"])),
        (
            f"best of {lspin['paper_trials']:,} such runs, expected from the spread of {lspin['n_seeds']} (normal)",
            number(lspin["expected_best"]),
            "–",
        ),
        (
            "honest: donors never seen",
            interval(lspin["honest"]),
            interval(dann["honest"][human]),
        ),
    ]
    why = (
        f"The best of {lspin['n_settings']} on {lspin['n_test']} cells is noise as much as skill: the standard error "
        f"of one such accuracy is {number(lspin['standard_error'])}. Trained again, the chosen settings reach "
        f"{number(lspin['again']['mean'])} on average ({number(lspin['again']['low'])} to "
        f"{number(lspin['again']['high'])}). The paper's search scored {lspin['paper_trials']:,} trials, this one "
        f"{lspin['n_trials']} networks. Runs with the published settings differ by their random numbers alone; with "
        f"that spread the best of {lspin['paper_trials']:,} is to be expected at {number(lspin['expected_best'])}."
    )
    if not found.simulated:
        why += (
            f" So a number like the published {number(lspin['published'])} comes by choosing, and goes when nothing "
            "is chosen."
        )
    return Section(
        "selection",
        "The choice on the test cells, made once",
        f"The paper's search (Optuna) proposes settings, each network is scored on the test cells, and the best is "
        f"kept. Here {lspin['n_trials']} networks of LSPIN, each scored every 50 steps since the number of steps was "
        f"one of the settings searched, so {lspin['n_settings']} settings; and {dann['n_trials']} of DANN, scored by "
        "the mean accuracy of both test sets. All networks have the paper's activation and optimiser. Accuracy, "
        "fraction of the test cells.",
        pd.DataFrame(rows, columns=columns),
        why,
        (
            Drawing("selection-lspin", lambda: figures.lspin_search(found), "LSPIN. Left: each network's best over its "
                    "numbers of steps, and the test accuracy of the setting that would be kept so far. Right: runs "
                    "that nothing chose, on the same test cells; bars are means."),
            Drawing("selection-dann", lambda: figures.dann_search(found), "DANN on human test cells, standardised by "
                    "their own mean and standard deviation as in the paper's code. The line follows the best mean of "
                    "both species so far."),
        ),
    )  # fmt: skip


def _table1(found: Reproduction) -> Section:
    dann, cells = found.numbers["selection"]["dann"], found.numbers["cells"]["dann"]
    table = _rows(found.numbers["table1"], both=True)
    mouse, human = (metric(dann["seeds"][f"{one.value} {TRAINING}"]) for one in Species)
    return Section(
        "table-1",
        "Table 1: excitatory or inhibitory, mouse and human (DANN)",
        f"Published protocol: {cells['train']} mouse cells train, {cells['validation']} stop the training; the last "
        f"20% of each species test ({cells['test mouse']} mouse, {cells['test human']} human), each set standardised "
        "by its own mean and standard deviation. Published accuracies as printed.",
        table,
        "The published network never saw a human cell: the code drops every row without a driver line. Standardised by "
        "themselves, human test cells move, for their class proportions differ from the mouse's; a network that "
        "nothing chose then falls behind, and the choice on both test sets makes up for it. With the training cells' "
        f"scaler the published settings reach {mouse} (mouse) and {human} "
        "(human) over the same runs. The honest figures are of networks that learn human labels too, "
        "tested on other donors; the recipe's batches keep the table's order, so each is of one species.",
    )


def _table2(found: Reproduction) -> Section:
    cells, rows = found.numbers["cells"]["lspin"], found.numbers["table2"]
    equal = "; ".join(f"{TITLES[row['system']]} {shown(row['equal'])}" for row in rows if "equal" in row)
    grids = " and ".join(
        f"{row['n_settings']} of {TITLES[row['system']]}" for row in rows if row.get("n_settings", 1) > 1
    )
    honest = [row["honest"]["accuracy"]["mean"] for row in rows]
    return Section(
        "table-2",
        "Table 2: five mouse subclasses (LSPIN and other systems)",
        f"Published protocol: the {cells['complete']:,} complete mouse cells, not grouped by donor, the scaler fitted "
        f"on all of them. LSPIN: {cells['train']} train, {cells['validation']} validate, {cells['test']} test. The "
        f"other systems: {cells['few']} train, {cells['others']:,} test; settings chosen on these from grids "
        f"({grids}), smaller than the paper's.",
        _rows(rows, both=False),
        "LSPIN was compared with systems that were trained on a third as many cells. Trained on four fifths and tested "
        f"on LSPIN's test cells, with default settings, they reach {equal}. Under the honest protocol accuracies lie "
        f"between {number(min(honest))} and {number(max(honest))}.",
    )
