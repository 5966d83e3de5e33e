"""The reproduced paper section by section: what was published, what we get by two protocols, and why they differ.

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
from neuroclass.report.paper_format import COLUMNS, GROUPED, TITLES, Drawing, Section, interval, metric, number, shown
from neuroclass.reports.paper_store import Reproduction

_NOTE = (
    "Accuracy / macro F1, percent of the tested cells; in parentheses the 95% confidence interval over donors; ± "
    "standard deviation over runs that differ in their random numbers."
)
_SELECTION_NOTE = (
    "Accuracy, percent of the test cells; in parentheses the 95% confidence interval over donors; ± standard deviation "
    "over runs that differ in their random numbers; expected best: extrapolated from the runs with the published "
    "settings, as normally distributed."
)


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
    """Which cells, and what is set side by side."""
    cells = found.numbers["cells"]
    return (
        f"Each table and figure as published, and as reproduced here by two protocols on {cells['n_mouse']:,} mouse "
        f"and {cells['n_human']:,} human cells of {cells['n_donors']:,} donors ({cells['source']})."
    )


def protocols(found: Reproduction) -> dict[str, str]:
    """The two protocols by name, and what each does."""
    return {
        "Published protocol": "the splits, scalers and selection on the test cells of the paper's public code; donors "
        "may have cells in both training and test set.",
        GROUPED.capitalize(): "stratified 5-fold cross-validation in which no donor has cells in both training and "
        f"test set, {_repeats(found)}; scaler and early stopping inside the fold, nothing selected on its test cells.",
    }


def _repeats(found: Reproduction) -> str:
    if not found.numbers["stored"]:
        return "one repeat"
    return "five repeats (one for the paper's DANN), as in the reports of the shipped models"


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
    """All sections, in the paper's order; the effect of selecting on the test cells last.

    Parameters
    ----------
    found : Reproduction
        From `reproduce_paper`.

    Returns
    -------
    tuple of Section
    """
    return (
        _table1(found),
        _table2(found),
        figure2(),
        figure4(found),
        figure5(found),
        figure8(found),
        figure9(found),
        figure10(found),
        shap_section(found),
        _selection(found),
    )


def _selection(found: Reproduction) -> Section:
    lspin, dann = found.numbers["selection"]["lspin"], found.numbers["selection"]["dann"]
    human = Species.HUMAN.value
    columns = ["", "LSPIN, five mouse subclasses", "DANN, human cells"]
    rows = [
        ("published", number(lspin["published"]), number(dann["published"][human])),
        (
            "best on the test cells",
            f"{number(lspin['by_test']['accuracy'])} (best of {lspin['n_settings']})",
            f"{number(dann['by_test'][f'{human} {OWN}'])} (best of {dann['n_trials']})",
        ),
        ("the same settings, trained again", metric(lspin["again"]), metric(dann["again"][f"{human} {OWN}"])),
        ("best on validation cells", number(lspin["by_validation"]["accuracy"]), "–"),
        ("published settings, no selection", metric(lspin["seeds"]), metric(dann["seeds"][f"{human} {OWN}"])),
        (
            f"expected best of {lspin['paper_trials']:,} runs",
            number(lspin["expected_best"]),
            "–",
        ),
        (
            GROUPED,
            interval(lspin["honest"]),
            interval(dann["honest"][human]),
        ),
    ]
    why = (
        f"The best of {lspin['n_settings']} settings on {lspin['n_test']} cells is partly chance: the standard error "
        f"of one such accuracy is {100 * lspin['standard_error']:.1f} percentage points. Trained again, the chosen "
        f"settings reach {number(lspin['again']['mean'])} on average ({number(lspin['again']['low'])} to "
        f"{number(lspin['again']['high'])}). Runs with the published settings differ only in their random numbers; by "
        f"their spread, the best of {lspin['paper_trials']:,} runs, as many as the paper's search scored, is expected "
        f"near {number(lspin['expected_best'])}; a rough figure, which extrapolates from {lspin['n_seeds']} runs."
    )
    if not found.simulated:
        why += (
            f" A value near the published {number(lspin['published'])} is about what selection on the test cells alone "
            "would produce; without selection it was not reached here."
        )
    return Section(
        "selection",
        "Effect of choosing the model on the test set",
        f"The paper's search (Optuna) proposes settings, scores each network on the test cells and keeps the best. The "
        f"same is done here with {lspin['n_trials']} LSPIN networks, each scored every 50 steps since the number of "
        f"steps was one of the settings searched ({lspin['n_settings']} settings), and with {dann['n_trials']} DANN "
        "networks, scored by the mean accuracy of both test sets. All have the paper's activation and optimiser.",
        pd.DataFrame(rows, columns=columns),
        why,
        (
            Drawing("selection-lspin", lambda: figures.lspin_search(found), "LSPIN. Left: the best accuracy of each "
                    "network over its training steps, and that of the network kept so far. Right: runs without "
                    "selection, on the same test cells; bars are means."),
            Drawing("selection-dann", lambda: figures.dann_search(found), "DANN on human test cells, standardised by "
                    "their own mean and standard deviation as in the paper's code. The line follows the network with "
                    "the best mean of both species so far."),
        ),
        _SELECTION_NOTE,
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
        "themselves, human test cells move, since their class proportions differ from the mouse's; without selection "
        "a network then does worse, and selection on both test sets makes up for it. With the training cells' scaler "
        f"the published settings reach {mouse} (mouse) and {human} (human) over the same runs. The donor-grouped "
        "figures are of networks that learn human labels too, tested on other donors; the recipe's batches keep the "
        "table's order, so each holds one species.",
        note=_NOTE,
    )


def _table2(found: Reproduction) -> Section:
    cells, rows = found.numbers["cells"]["lspin"], found.numbers["table2"]
    equal = "; ".join(f"{TITLES[row['system']]} {shown(row['equal'])}" for row in rows if "equal" in row)
    grids = " and ".join(
        f"{row['n_settings']} of {TITLES[row['system']]}" for row in rows if row.get("n_settings", 1) > 1
    )
    grouped = [row["honest"]["accuracy"]["mean"] for row in rows]
    return Section(
        "table-2",
        "Table 2: five mouse subclasses (LSPIN and other systems)",
        f"Published protocol: the {cells['complete']:,} complete mouse cells, not grouped by donor, the scaler fitted "
        f"on all of them. LSPIN: {cells['train']} train, {cells['validation']} validate, {cells['test']} test. The "
        f"other systems: {cells['few']} train, {cells['others']:,} test; settings chosen on these from grids "
        f"({grids}), smaller than the paper's.",
        _rows(rows, both=False),
        "LSPIN was compared with systems that were trained on a third as many cells. Trained on four fifths and tested "
        f"on LSPIN's test cells, with default settings, they reach {equal}. Under the donor-grouped protocol all "
        f"accuracies lie between {number(min(grouped))} and {number(max(grouped))}.",
        note=_NOTE,
    )
