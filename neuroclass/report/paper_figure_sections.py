"""The sections of the reproduced paper that show figures.

What each figure shows is taken from the paper's public code; no number of a figure is called published.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from neuroclass.cell_types import Species, label_of
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.report import paper_figures as figures
from neuroclass.report.paper_format import FIGURE, GROUPED, NOTHING, SELECTED, Drawing, Section, number
from neuroclass.reports.paper_store import Reproduction
from neuroclass.reports.paper_tables import HONEST_WAY, OURS, PUBLISHED_WAY
from neuroclass.types.models import DANN, LSPIN

_NOT_COMPARED, _SHOWN = {"": NOTHING}, "What is shown"


def figure2() -> Section:
    """Noise stimulus and response."""
    rows = [("Published", "a recorded cell of the database"), ("Here", "a simulated cell of the demo cohort")]
    return Section(
        "figure-2",
        "Figure 2: a noise stimulus and the response",
        "Noise around rheobase gives subthreshold responses and spikes in one sweep.",
        "Drawn from a simulated cell: the published tables hold no recordings. Pink noise, coefficient of variation "
        "0.2, at 0.75, 1 and 1.5 × rheobase.",
        {"": pd.DataFrame(rows, columns=["Figure", "Sweep of"])},
        ("Another cell; the stimulus is the database's.", "Nothing in it depends on a protocol."),
        (Drawing("noise", figures.noise, "A simulated cell under the database's noise stimulus, three epochs."),),
        outcomes=_NOT_COMPARED,
        heading=_SHOWN,
    )


def _composition(
    found: Reproduction, species: Species, key: str, title: str, finding: str, why: tuple[str, ...]
) -> Section:
    numbers = found.numbers["figures"][key]
    counts = numbers["classes"]
    rows = [(label_of(name), f"{n:,}", number(n / sum(counts.values()))) for name, n in counts.items()]
    return Section(
        f"figure-{key}",
        title,
        finding,
        f"Drawn from the labels of {numbers['n_cells']:,} {species.value} cells. {FIGURE}",
        {"": pd.DataFrame(rows, columns=["Class", "Cells", "Share of the labelled cells"])},
        why,
        (Drawing(f"composition-{species.value}", lambda: figures.composition(found, species),
                 f"The {species.value} cells by class; within a class by driver line where there is one."),),
        outcomes=_NOT_COMPARED,
        heading=_SHOWN,
    )  # fmt: skip


def _share(found: Reproduction, key: str, name: str) -> str:
    counts = found.numbers["figures"][key]["classes"]
    return number(counts.get(name, 0) / max(1, sum(counts.values())))


def figure4(found: Reproduction) -> Section:
    """Mouse cells."""
    numbers = found.numbers["figures"]["4"]
    finding = (
        f"{_share(found, '4', LSPIN.classes[0])} of the mouse cells are {label_of(LSPIN.classes[0])}; "
        f"{numbers['n_lines']} driver lines label the cells."
    )
    why = (
        "One version, drawn from the loaded cells: the paper draws the same published table and prints no numbers.",
        "A class is the driver line's, so lines that mark mixed populations carry wrong labels under any protocol.",
    )
    return _composition(found, Species.MOUSE, "4", "Figure 4: mouse cells by subclass and driver line", finding, why)


def figure5(found: Reproduction) -> Section:
    """Human cells."""
    finding = f"{_share(found, '5', 'spiny')} of the human cells are spiny, which is taken as excitatory."
    why = (
        "One version again, drawn from the loaded cells.",
        "Excitatory cells are a larger share in human than in mouse, so a species that is standardised by itself is "
        "shifted against the other.",
    )
    return _composition(found, Species.HUMAN, "5", "Figure 5: human cells by dendrite type", finding, why)


def _right(one: Mapping[str, Any], name: str) -> str:
    """Percent of a class' cells that are classified correctly; a dash where the test cells lack the class."""
    return number(one["recall"][name]) if name in one["recall"] else "–"


def _recall_rows(numbers: Mapping[str, Any], ways: Mapping[str, str]) -> pd.DataFrame:
    rows = [(label_of(name), *(_right(numbers[way], name) for way in ways)) for name in LSPIN.classes]
    rows.append(("all", *(number(numbers[way]["accuracy"]) for way in ways)))
    return pd.DataFrame(rows, columns=["True class", *ways.values()])


_WAYS = {
    PUBLISHED_WAY: SELECTED,
    HONEST_WAY: f"{GROUPED}, the paper's recipe",
    OURS: f"{GROUPED}, ours",
}


_WAYS_TRAINED = {**_WAYS, PUBLISHED_WAY: "The paper's protocol, published settings"}
_RECALL = "Percent of the cells of each true class that are classified correctly."


def _within(title: str) -> str:
    """A column's title within a sentence."""
    return f"{title[:1].lower()}{title[1:]}"


def figure8(found: Reproduction) -> Section:
    """LSPIN's confusion matrices."""
    numbers = found.numbers["figures"]["8"]
    weakest = min(numbers[OURS]["recall"], key=numbers[OURS]["recall"].__getitem__)
    drawings = tuple(
        Drawing(f"confusion-lspin-{k}", lambda way=way: figures.confusion(found, LSPIN.task, way),  # type: ignore[misc]
                f"LSPIN, {_within(title)}: {numbers[way]['n_cells']:,} cells.")
        for k, (way, title) in enumerate(_WAYS.items())
    )  # fmt: skip
    return Section(
        "figure-8",
        "Figure 8: confusion matrix of LSPIN",
        f"{label_of(LSPIN.classes[0])} cells are found best ({_right(numbers[OURS], LSPIN.classes[0])} of them, "
        f"ours, donor-grouped) and {label_of(weakest)} cells worst ({_right(numbers[OURS], weakest)}).",
        f"Drawn from predictions of the mouse cells, true subclass by predicted. {FIGURE}",
        {"": _recall_rows(numbers, _WAYS)},
        (
            "The published test set has few cells of the rarer classes.",
            "Settings were selected on these same cells.",
            "Donor-grouped, every cell is tested once in each repeat, by networks that saw no cell of its donor.",
        ),
        drawings,
        _RECALL,
        _NOT_COMPARED,
    )


def figure9(found: Reproduction) -> Section:
    """LSPIN's gates."""
    numbers = found.numbers["figures"]["9"]

    def text(way: str) -> str:
        one = numbers[way]
        share = f"; {number(one['share_open'])} of all gates" if "share_open" in one else ""
        return f"median {one['median_open']:.0f} of 41{share}"

    rows = [(_WAYS_TRAINED[way], text(way)) for way in _WAYS]
    table = pd.DataFrame(rows, columns=["Network", "Open gates of a cell"])
    names = ((PUBLISHED_WAY, "the paper's recipe on its test cells"), (OURS, "ours on held-out donors"))
    drawings = tuple(
        Drawing(f"gates-{k}", lambda way=way: figures.gate_matrix(found, way),  # type: ignore[misc]
                f"Gates of {title}, black shut, white open; cells clustered within classes, at most 277.")
        for k, (way, title) in enumerate(names)
    )  # fmt: skip
    return Section(
        "figure-9",
        "Figure 9: gates of LSPIN by cell and feature",
        f"The paper's recipe leaves {numbers[PUBLISHED_WAY]['median_open']:.0f} of 41 gates of a cell open (median); "
        f"ours {numbers[OURS]['median_open']:.0f}.",
        f"Drawn from the gates without noise, 0 shut to 1 open. {FIGURE}",
        {"": table},
        (
            "The paper's text gives the penalty as the number of open gates; its code takes their mean over features, "
            "a 41st of that.",
            "So nearly all gates stay open, and little is selected. Ours counts them.",
        ),
        drawings,
        outcomes=_NOT_COMPARED,
    )


def figure10(found: Reproduction) -> Section:
    """DANN's confusion matrices."""
    numbers = found.numbers["figures"]["10"]
    rows, drawings = [], []
    for species in ("mouse", "human"):
        ours = {way: numbers[f"{species}, {way}"] for way in _WAYS}
        for name in DANN.classes:
            rows.append((species, label_of(name), *(_right(ours[way], name) for way in _WAYS)))
        drawings += list(_species_drawings(found, species, ours))
    hardest = min(
        ((one, name) for one in ("mouse", "human") for name in numbers[f"{one}, {OURS}"]["recall"]),
        key=lambda pair: numbers[f"{pair[0]}, {OURS}"]["recall"][pair[1]],
    )

    def _found(way: str) -> str:
        return _right(numbers[f"{hardest[0]}, {way}"], hardest[1])

    return Section(
        "figure-10",
        "Figure 10: confusion matrices of DANN, mouse and human",
        f"{hardest[0].capitalize()} {label_of(hardest[1])} cells are the hardest for ours: {_found(OURS)} are found, "
        f"donor-grouped; by the paper's protocol {_found(PUBLISHED_WAY)}.",
        f"Drawn from predictions of both species, true type by predicted. {FIGURE}",
        {"": pd.DataFrame(rows, columns=["Species", "True class", *_WAYS.values()])},
        (
            f"The published human test set is small ({numbers[f'human, {PUBLISHED_WAY}']['n_cells']} cells).",
            "Both test sets were used for the selection.",
            "The donor-grouped matrices are of donors that the networks have not seen, human labels included in "
            "training.",
        ),
        tuple(drawings),
        _RECALL,
        _NOT_COMPARED,
    )


def _species_drawings(found: Reproduction, species: str, ours: Mapping[str, Any]) -> Iterator[Drawing]:
    for k, (way, title) in enumerate(_WAYS.items()):
        if way != OURS:
            yield Drawing(
                f"confusion-dann-{species}-{k}",
                lambda way=way: figures.confusion(found, DANN.task, way, species),  # type: ignore[misc]
                f"DANN, {species}, {_within(title)}: {ours[way]['n_cells']:,} cells.",
            )


def shap_section(found: Reproduction) -> Section:
    """DANN's SHAP values."""
    table = found.tables["shap"]
    n = {name: int((table["network"] == name).sum()) for name in ("paper", "ours")}
    rows = [
        ("In the public code", "100"),
        ("The paper's protocol, published settings", str(n["paper"])),
        (f"{GROUPED}, ours", str(n["ours"])),
    ]
    leading = {name: _leading(table[table["network"] == name]) for name in n}
    shared = [name for name in leading["ours"] if name in leading["paper"]]
    return Section(
        "shap",
        "SHAP summary of DANN (in the paper's code)",
        f"{len(shared)} of the {_LEADING} features that move our network most are among those of the paper's too; "
        f"first for ours, each feature alone: {BY_NAME[leading['ours'][0]].named}.",
        "The public code draws a summary of SHAP values of DANN; the number of the figure in the paper is "
        "not known to us. Drawn from mean |SHAP| in probability, against prototypes of the training cells.",
        {"": pd.DataFrame(rows, columns=["Network", "Cells explained"])},
        (
            "The paper's network explains test cells that it standardised by the training cells here; ours, held-out "
            "donors.",
            "The four stimuli measure the spike four times, so networks may share the credit out differently; the SHAP "
            "page pools them at first, which orders the features otherwise.",
        ),
        (Drawing("shap", lambda: figures.shap(found), "Mean |SHAP| of the 15 leading features, both species."),),
        outcomes=_NOT_COMPARED,
    )


_LEADING = 10


def _leading(rows: pd.DataFrame) -> list[str]:
    means = rows[list(FEATURE_NAMES)].abs().mean()
    return [str(name) for name in means.sort_values(ascending=False).index[:_LEADING]]
