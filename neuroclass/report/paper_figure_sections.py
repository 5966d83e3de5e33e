"""The sections of the reproduced paper that show figures.

What each figure shows is taken from the paper's public code; no number of a figure is called published.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from neuroclass.cell_types import Species, label_of
from neuroclass.report import paper_figures as figures
from neuroclass.report.paper_format import COLUMNS, FIGURE, GROUPED, NOT_PRINTED, Drawing, Section, number
from neuroclass.reports.paper_store import Reproduction
from neuroclass.reports.paper_tables import HONEST_WAY, OURS, PUBLISHED_WAY
from neuroclass.types.models import DANN, LSPIN


def _one_row(name: str, published: str, ours: str, grouped: str) -> pd.DataFrame:
    columns = [COLUMNS[0], "published", "ours, published protocol", f"ours, {GROUPED}"]
    return pd.DataFrame([(name, published, ours, grouped)], columns=columns)


def figure2() -> Section:
    """Noise stimulus and response."""
    return Section(
        "figure-2",
        "Figure 2: a noise stimulus and the response",
        "Drawn from a simulated cell of the demo cohort: the tables hold no recordings. Pink noise, coefficient of "
        "variation 0.2, at 0.75, 1 and 1.5 × rheobase.",
        _one_row("sweep", "a recorded cell of the database", "a simulated cell", "the same"),
        "Another cell; the stimulus is the database's. Nothing in it depends on a protocol.",
        (Drawing("noise", figures.noise, "A simulated cell under the database's noise stimulus, three epochs."),),
    )


def _composition(found: Reproduction, species: Species, key: str, title: str, why: str) -> Section:
    numbers = found.numbers["figures"][key]
    counts = ", ".join(f"{label_of(name)} {n:,}" for name, n in numbers["classes"].items())
    table = _one_row("cells", NOT_PRINTED, f"{numbers['n_cells']:,}: {counts}", "the same cells")
    return Section(
        f"figure-{key}",
        title,
        f"Drawn from the labels of the loaded {species.value} cells.",
        table,
        why,
        (Drawing(f"composition-{species.value}", lambda: figures.composition(found, species),
                 f"The loaded {species.value} cells by class; within a class by driver line where there is one."),),
    )  # fmt: skip


def figure4(found: Reproduction) -> Section:
    """Mouse cells."""
    why = (
        "The table published with the paper is the source of both; numbers differ only where other cells are loaded. "
        "A class is the driver line's, so lines that mark mixed populations carry wrong labels under any protocol."
    )
    return _composition(found, Species.MOUSE, "4", "Figure 4: mouse cells by subclass and driver line", why)


def figure5(found: Reproduction) -> Section:
    """Human cells."""
    why = (
        "The same table again. Spiny cells are a larger share in human than in mouse, which is what standardising each "
        "species by itself trips over."
    )
    return _composition(found, Species.HUMAN, "5", "Figure 5: human cells by dendrite type", why)


def _right(one: Mapping[str, Any], name: str) -> str:
    """Percent of a class' cells that are classified correctly; a dash where the test cells lack the class."""
    return number(one["recall"][name]) if name in one["recall"] else "–"


def _recall_rows(numbers: Mapping[str, Any], ways: Mapping[str, str]) -> pd.DataFrame:
    rows = [
        (f"{label_of(name)}: correct", NOT_PRINTED, *(_right(numbers[way], name) for way in ways))
        for name in LSPIN.classes
    ]
    rows.append(("all: correct", NOT_PRINTED, *(number(numbers[way]["accuracy"]) for way in ways)))
    return pd.DataFrame(rows, columns=["", "published", *ways.values()])


_WAYS = {
    PUBLISHED_WAY: "published protocol, best on the test cells",
    HONEST_WAY: f"{GROUPED}, the paper's recipe",
    OURS: f"{GROUPED}, ours",
}


def figure8(found: Reproduction) -> Section:
    """LSPIN's confusion matrices."""
    numbers = found.numbers["figures"]["8"]
    drawings = tuple(
        Drawing(f"confusion-lspin-{k}", lambda way=way: figures.confusion(found, LSPIN.task, way),  # type: ignore[misc]
                f"LSPIN, {title}: {numbers[way]['n_cells']:,} cells.")
        for k, (way, title) in enumerate(_WAYS.items())
    )  # fmt: skip
    return Section(
        "figure-8",
        "Figure 8: confusion matrix of LSPIN",
        f"Drawn from predictions of the mouse cells, true subclass by predicted. {FIGURE}",
        _recall_rows(numbers, _WAYS),
        "The published test set has few cells of the rarer classes, and settings were selected on these same cells.",
        drawings,
    )


def figure9(found: Reproduction) -> Section:
    """LSPIN's gates."""
    numbers = found.numbers["figures"]["9"]

    def text(way: str) -> str:
        one = numbers[way]
        share = f"{number(one['share_open'])} open, " if "share_open" in one else ""
        return f"{share}median {one['median_open']:.0f} of 41"

    table = pd.DataFrame(
        [("gates", NOT_PRINTED, *(text(way) for way in _WAYS))],
        columns=["", "published", "published protocol, published settings", *list(_WAYS.values())[1:]],
    )
    names = ((PUBLISHED_WAY, "the paper's recipe on its test cells"), (OURS, "ours on held-out donors"))
    drawings = tuple(
        Drawing(f"gates-{k}", lambda way=way: figures.gate_matrix(found, way),  # type: ignore[misc]
                f"Gates of {title}, black shut, white open; cells clustered within classes, at most 277.")
        for k, (way, title) in enumerate(names)
    )  # fmt: skip
    return Section(
        "figure-9",
        "Figure 9: gates of LSPIN by cell and feature",
        f"Drawn from the gates without noise, 0 shut to 1 open. {FIGURE}",
        table,
        "The paper's text gives the penalty as the number of open gates; its code takes their mean over features, a "
        "41st of that, so nearly all gates stay open and little is selected. Ours counts them.",
        drawings,
    )


def figure10(found: Reproduction) -> Section:
    """DANN's confusion matrices."""
    numbers = found.numbers["figures"]["10"]
    rows, drawings = [], []
    for species in ("mouse", "human"):
        ours = {way: numbers[f"{species}, {way}"] for way in _WAYS}
        for name in DANN.classes:
            values = (_right(ours[way], name) for way in _WAYS)
            rows.append((f"{species}, {label_of(name)}: correct", NOT_PRINTED, *values))
        drawings += list(_species_drawings(found, species, ours))
    return Section(
        "figure-10",
        "Figure 10: confusion matrices of DANN, mouse and human",
        f"Drawn from predictions of both species, true type by predicted. {FIGURE}",
        pd.DataFrame(rows, columns=["", "published", *_WAYS.values()]),
        "The published human test set is small, and both test sets were used for the selection; the donor-grouped "
        "matrices are of donors that the networks have not seen, human labels included in training.",
        tuple(drawings),
    )


def _species_drawings(found: Reproduction, species: str, ours: Mapping[str, Any]) -> Iterator[Drawing]:
    for k, (way, title) in enumerate(_WAYS.items()):
        if way != OURS:
            yield Drawing(
                f"confusion-dann-{species}-{k}",
                lambda way=way: figures.confusion(found, DANN.task, way, species),  # type: ignore[misc]
                f"DANN, {species}, {title}: {ours[way]['n_cells']:,} cells.",
            )


def shap_section(found: Reproduction) -> Section:
    """DANN's SHAP values."""
    table = found.tables["shap"]
    n = {name: int((table["network"] == name).sum()) for name in ("paper", "ours")}
    row = ("cells explained", "100 in the public code", str(n["paper"]), str(n["ours"]))
    return Section(
        "shap",
        "SHAP summary of DANN (in the paper's code)",
        "The public code draws a summary of SHAP values of DANN; the number of the figure in the paper is "
        "not known to us. Drawn from mean |SHAP| in probability, against prototypes of the training cells.",
        pd.DataFrame([row], columns=["", "published", "published protocol, published settings", f"{GROUPED}, ours"]),
        "The paper's network explains test cells that it standardised by the training cells here; ours, held-out "
        "donors. The four stimuli measure the spike four times, so that networks may share the credit out differently.",
        (Drawing("shap", lambda: figures.shap(found), "Mean |SHAP| of the 15 leading features, both species."),),
    )
