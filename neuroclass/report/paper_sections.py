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
from neuroclass.report.paper_format import (
    GROUPED,
    METRICS,
    NOT_KEPT,
    NOT_PRINTED,
    NOT_SELECTED,
    PRINTED,
    RULE,
    SELECTED,
    SYSTEM,
    TITLES,
    UNSELECTED,
    Drawing,
    Section,
    interval,
    metric,
    number,
    outcome,
    shown,
)
from neuroclass.report.paper_ways import drawn
from neuroclass.reports.paper_store import Reproduction
from neuroclass.types.shares import DASH

TESTED = "Test cells, paper's split"


def _note(found: Reproduction, tables: Mapping[str, pd.DataFrame]) -> str:
    """What the numbers of the tables are, and the words in them."""
    words = " ".join(map(str, pd.concat(tables.values()).to_numpy().ravel()))
    meanings = {
        NOT_PRINTED: "the paper has no such number",
        NOT_SELECTED: "nothing was chosen on the test cells",
        NOT_KEPT: "not stored with the reproduction",
    }
    told = " ".join(f"{word.capitalize()}: {meaning}." for word, meaning in meanings.items() if word in words)
    runs, ours = found.numbers["selection"]["lspin"]["n_seeds"], 5 if found.numbers["stored"] else 1
    return (
        f"Percent of the tested cells. {UNSELECTED}: {runs} runs of the paper's recipe and {ours} of ours, which "
        f"differ in their random numbers. {told} {RULE}"
    )


_SELECTION_NOTE = (
    "Accuracy, percent of the test cells. ±: standard deviation over runs that differ in their random numbers; in "
    "parentheses the 95% confidence interval over donors. Expected best: extrapolated from the runs with the "
    "published settings, as normally distributed. A dash: computed for LSPIN only."
)


def _tables(rows: list[dict[str, Any]], both: bool) -> dict[str, pd.DataFrame]:
    """A table for each metric; with the species tested on where both are."""
    return {title: _table(rows, name, both) for name, title in METRICS.items()}


def _table(rows: list[dict[str, Any]], name: str, both: bool) -> pd.DataFrame:
    sizes = {row.get("cells"): row["n_test"] for row in rows if "n_test" in row}
    values = [
        {
            SYSTEM: TITLES[row["system"]],
            TESTED: _tested(row, both, row.get("n_test", sizes.get(row.get("cells")) if row["unchosen"] else None)),
            PRINTED: shown(row["published"], name, NOT_PRINTED, NOT_PRINTED),
            SELECTED: shown(row["chosen"], name, NOT_SELECTED),
            f"{UNSELECTED} (mean ± SD of runs)": shown(row["unchosen"], name, NOT_KEPT),
            f"{GROUPED} (95% CI over donors; cells)": f"{interval(row['honest'][name])}; {row['honest']['n_cells']:,}",
        }
        for row in rows
    ]
    return pd.DataFrame(values)


def _tested(row: dict[str, Any], both: bool, by_split: int | None) -> str:
    """How many cells test a row by the paper's split, where it was tried on it."""
    species = f" {row['cells']}" if both else ""
    return f"{by_split:,}{species}" if by_split else f"none{species}"


def _outcomes(found: Reproduction, rows: list[dict[str, Any]], named: str) -> dict[str, str]:
    """Of each printed number whether it was reproduced; simulated cells cannot tell."""
    if found.simulated:
        return {}
    return {
        (TITLES[row["system"]] if named == "system" else str(row[named]).capitalize()): outcome(row)
        for row in rows
        if row["published"]
    }


def preface(found: Reproduction) -> str:
    """Which cells, and what is set side by side."""
    cells = found.numbers["cells"]
    return (
        f"Each table and figure as published, and reproduced here on {cells['n_mouse']:,} mouse "
        f"and {cells['n_human']:,} human cells of {cells['n_donors']:,} donors ({cells['source']}). Only what the "
        "paper's public code draws from cells can be reproduced; Figures 1, 3, 6 and 7 are not among it."
    )


def protocols(found: Reproduction) -> dict[str, str]:
    """The columns of the tables by name, and how the numbers in each came about."""
    seeds = found.numbers["selection"]["lspin"]["n_seeds"]
    return {
        PRINTED: "as printed in the paper.",
        SELECTED: "the paper's protocol made again, as in its public code: its splits and scalers, and of many "
        "networks the one that is best on the test cells. A donor may have cells in both training and test set.",
        UNSELECTED: f"the same protocol with nothing chosen on the test cells: the published settings, {seeds} runs.",
        GROUPED: "stratified 5-fold cross-validation in which no donor has cells in both training and test set, "
        f"{_repeats(found)}. Scaler and early stopping inside the fold, nothing chosen on its test cells.",
    }


def _repeats(found: Reproduction) -> str:
    if not found.numbers["stored"]:
        return "one repeat"
    return "five repeats (one for the paper's DANN)"


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
    human = f"{Species.HUMAN.value} {OWN}"
    rows = [
        (PRINTED, number(lspin["published"]), number(dann["published"][Species.HUMAN.value])),
        (
            SELECTED,
            f"{number(lspin['by_test']['accuracy'])} (of {lspin['n_settings']} settings)",
            f"{number(dann['by_test'][human])} (of {dann['n_trials']} settings)",
        ),
        ("The same settings, trained again", metric(lspin["again"]), metric(dann["again"][human])),
        ("Best on validation cells", number(lspin["by_validation"]["accuracy"]), DASH),
        ("Published settings, without selection", metric(lspin["seeds"]), metric(dann["seeds"][human])),
        (f"Expected best of {lspin['paper_trials']:,} runs", number(lspin["expected_best"]), DASH),
        (GROUPED, interval(lspin["honest"]), interval(dann["honest"][Species.HUMAN.value])),
    ]
    why = [
        f"The best of {lspin['n_settings']} settings on {lspin['n_test']} cells is partly chance: one such accuracy "
        f"has a standard error of {100 * lspin['standard_error']:.1f} percentage points. Trained again, the same "
        f"settings reach {number(lspin['again']['mean'])} ({number(lspin['again']['low'])} to "
        f"{number(lspin['again']['high'])}).",
        f"Runs with the published settings differ in their random numbers only. By their spread, the best of "
        f"{lspin['paper_trials']:,} runs, as many as the paper's search scored, is expected near "
        f"{number(lspin['expected_best'])}; a rough figure, extrapolated from {lspin['n_seeds']} runs.",
    ]
    if not found.simulated:
        why.append(
            f"A value near the published {number(lspin['published'])} is about what selection on the test cells alone "
            "would produce; without selection it was not reached here."
        )
    return Section(
        "selection",
        "Effect of choosing the model on the test cells",
        "Chosen on the test cells and then trained again, accuracy goes from "
        f"{number(lspin['by_test']['accuracy'])} to {number(lspin['again']['mean'])} (LSPIN, mouse) and from "
        f"{number(dann['by_test'][human])} to {number(dann['again'][human]['mean'])} (DANN, human).",
        "The paper's search (Optuna) proposes settings, scores each network on the test cells and keeps the best. Here "
        f"{lspin['n_trials']} LSPIN networks were scored every 50 steps, as the number of steps was searched too "
        f"({lspin['n_settings']} settings), and {dann['n_trials']} DANN networks by the mean accuracy of both test "
        "sets; all with the paper's activation and optimiser.",
        {"": pd.DataFrame(rows, columns=["Accuracy", "LSPIN, five mouse subclasses", "DANN, human cells"])},
        tuple(why),
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


def _left_out(found: Reproduction) -> str:
    """Which cells of each species take part in the published DANN's split, and where the others are."""
    every, split = found.numbers["cells"], found.numbers["cells"]["dann"]
    used = split["train"] + split["validation"] + split["test mouse"]
    incomplete = every["n_mouse"] - every["lspin"]["complete"]
    own = every["n_mouse"] - incomplete - used
    return (
        f"The paper's split of {every['n_mouse']:,} mouse cells: {split['train']:,} train, {split['validation']:,} "
        f"stop the training, {split['test mouse']:,} test (the last 20%). The other {every['n_mouse'] - used:,} are "
        f"not in the table: {own:,} go to a further test set of the code, and "
        f"{incomplete:,} lack a feature. Of {every['n_human']:,} human cells the last {split['test human']:,} test; "
        f"the other {every['n_human'] - split['test human']:,} are dropped. Each test set is standardised by its own "
        "mean and standard deviation."
    )


def _table1(found: Reproduction) -> Section:
    dann = found.numbers["selection"]["dann"]
    split = found.numbers["cells"]["dann"]
    rows = [
        {**row, "n_test": split[f"test {row['cells']}"]} if row["system"] == "dann-paper" else row
        for row in found.numbers["table1"]
    ]
    mouse, human = (metric(dann["seeds"][f"{one.value} {TRAINING}"]) for one in Species)
    recipe = {row["cells"]: row for row in rows if row["system"] == "dann-paper"}
    paper, own = recipe[Species.HUMAN.value], recipe[Species.MOUSE.value]
    published, unselected = paper["published"]["accuracy"], paper["unchosen"]["accuracy"]["mean"]
    printed = "" if found.simulated else f", not the published {number(published)}"
    tables = _tables(rows, both=True)
    return Section(
        "table-1",
        "Table 1: excitatory or inhibitory, mouse and human (DANN)",
        f"Without choosing the network by its test cells, the paper's recipe gets {number(unselected)} of human cells "
        f"right{printed}. Trained on human labels too, and tested on unseen donors, it gets "
        f"{number(paper['honest']['accuracy']['mean'])}.",
        _left_out(found),
        tables,
        (
            "**No human cell in training.** The published network never saw one: the code drops every row without a "
            "driver line. Donor-grouped, the networks learn human labels too.",
            "**The scaler.** The code standardises the human test cells by their own mean and standard deviation. They "
            "have more excitatory cells than the mouse's, so this shifts them; choosing the network on them makes up "
            f"for it. With the training cells' scaler the same runs reach {mouse} (mouse) and {human} (human).",
            "**The batches.** They keep the table's order, so each holds one species: the adversary sees one species "
            "at a time, and batch normalisation standardises each by itself. Donor-grouped, human cells train too, and "
            f"mouse accuracy is {number(own['honest']['accuracy']['mean'])}, by the paper's split "
            f"{metric(own['unchosen']['accuracy'])}; how much of that the batches cost was not measured.",
        ),
        drawings=drawn("ways-table-1", rows, True, found.simulated),
        note=_note(found, tables),
        outcomes=_outcomes(found, rows, "cells"),
    )


def _table2(found: Reproduction) -> Section:
    cells = found.numbers["cells"]["lspin"]
    own = {"lspin-paper": {"n_test": cells["test"]}, "lspin": {}}
    rows = [{**row, **own.get(row["system"], {"n_test": cells["others"]})} for row in found.numbers["table2"]]
    equal = "; ".join(f"{TITLES[row['system']]} {shown(row['equal'], 'accuracy')}" for row in rows if "equal" in row)
    grids = " and ".join(
        f"{row['n_settings']} of {TITLES[row['system']]}" for row in rows if row.get("n_settings", 1) > 1
    )
    grouped = [row["honest"]["accuracy"]["mean"] for row in rows]
    lspin = rows[0]
    tables = _tables(rows, both=False)
    return Section(
        "table-2",
        "Table 2: five mouse subclasses (LSPIN and other systems)",
        f"Without choosing the network by its test cells, LSPIN gets {number(lspin['unchosen']['accuracy']['mean'])} "
        "of mouse cells right"
        + (f", not the published {number(lspin['published']['accuracy'])}" if not found.simulated else "")
        + f". On unseen donors all systems lie between {number(min(grouped))} and {number(max(grouped))}.",
        f"The paper's protocol: the {cells['complete']:,} complete mouse cells, not grouped by donor, the scaler "
        f"fitted on all of them. LSPIN: {cells['train']:,} train, {cells['validation']:,} validate, {cells['test']:,} "
        f"test. The other systems: {cells['few']:,} train, {cells['others']:,} test; settings chosen on these from "
        f"grids ({grids}), smaller than the paper's.",
        tables,
        (
            "**Selection.** The published LSPIN was chosen among many settings by its accuracy on the test cells; see "
            "Test-set selection for how much that adds.",
            "**Fewer training cells.** The other systems were trained on a third as many cells as LSPIN. Trained on "
            f"four fifths and tested on LSPIN's test cells, with default settings, they reach {equal}.",
            "**Donors and scaler.** The paper's split lets cells of one donor stand in both training and test set, and "
            "its scaler has seen the test cells; the donor-grouped protocol allows neither.",
        ),
        drawings=drawn("ways-table-2", rows, False, found.simulated),
        note=_note(found, tables),
        outcomes=_outcomes(found, rows, "system"),
    )
