"""Cell types: Cre line → subclass → broad class, dendrite types, their order and colours.

References
----------
.. [1] Ophir, Shefi, Lindenbaum, arXiv:2306.00528, Figure 4 (lines grouped to subclasses).
.. [2] Tasic et al., "Shared and distinct transcriptomic cell types across neocortical areas",
   Nature 563, 2018 (what the driver lines mark).
.. [3] Okabe and Ito, "Color Universal Design", 2008 (the palette).
.. [4] Lee, Dalley et al., "Signature morphoelectric properties of diverse GABAergic interneurons in the human
   neocortex", Science 382, 2023.
"""

from dataclasses import dataclass
from enum import StrEnum


class Species(StrEnum):
    """Species of the donor."""

    MOUSE = "mouse"
    HUMAN = "human"


class Broad(StrEnum):
    """Broad class: excitatory or inhibitory, inferred from dendrite type or driver line."""

    EXCITATORY = "excitatory"
    INHIBITORY = "inhibitory"


class Subclass(StrEnum):
    """The five subclasses of mouse cortical neurons that LSPIN predicts."""

    GLUTAMATERGIC = "Glutamatergic"
    PVALB = "Pvalb"
    SST = "Sst"
    VIP = "Vip"
    HTR3A = "Htr3a"

    @property
    def label(self) -> str:
        """Name as the field writes it."""
        return "Htr3a+|Vip−" if self is Subclass.HTR3A else self.value

    @property
    def broad(self) -> Broad:
        """The broad class it belongs to."""
        return Broad.EXCITATORY if self is Subclass.GLUTAMATERGIC else Broad.INHIBITORY


class HumanSubclass(StrEnum):
    """The five subclasses of human cortical neurons, after the transcriptomic taxonomy of Lee, Dalley et al. [4]_."""

    GLUTAMATERGIC = "Glutamatergic"
    PVALB = "Pvalb"
    SST = "Sst"
    VIP = "Vip"
    LAMP5_PAX6 = "Lamp5/Pax6"

    @property
    def broad(self) -> Broad:
        """The broad class it belongs to."""
        return Broad.EXCITATORY if self is HumanSubclass.GLUTAMATERGIC else Broad.INHIBITORY


class Dendrite(StrEnum):
    """Dendrite type as tagged in the database."""

    SPINY = "spiny"
    ASPINY = "aspiny"
    SPARSELY_SPINY = "sparsely spiny"

    @property
    def broad(self) -> Broad | None:
        """Corresponding broad class; None for sparsely spiny cells, which occur in both."""
        return {Dendrite.SPINY: Broad.EXCITATORY, Dendrite.ASPINY: Broad.INHIBITORY}.get(self)


BROAD_ORDER: tuple[str, ...] = tuple(b.value for b in Broad)
SUBCLASS_ORDER: tuple[str, ...] = tuple(s.value for s in Subclass)
HUMAN_SUBCLASS_ORDER: tuple[str, ...] = tuple(s.value for s in HumanSubclass)

TASK_CLASSES: dict[str, tuple[str, ...]] = {
    "broad": BROAD_ORDER,
    "subclass": SUBCLASS_ORDER,
    "human_subclass": HUMAN_SUBCLASS_ORDER,
}
"""The classes of each task, which is also the name of the cohort's column with the labels."""

COLOURS: dict[str, str] = {
    Broad.EXCITATORY: "#D55E00",
    Broad.INHIBITORY: "#7276E0",
    Subclass.GLUTAMATERGIC: "#D55E00",
    Subclass.PVALB: "#2B86C5",
    Subclass.SST: "#E69F00",
    Subclass.VIP: "#CC79A7",
    Subclass.HTR3A: "#009E73",
    HumanSubclass.LAMP5_PAX6: "#8C6D31",
    Species.MOUSE: "#56B4E9",
    Species.HUMAN: "#B58900",
}
"""Excitatory and Glutamatergic name the same cells and share a colour; inhibitory has its own."""


@dataclass(frozen=True)
class Line:
    """A transgenic driver line of the database.

    Attributes
    ----------
    name : str
        The line as the database spells it.
    subclass : Subclass or None
        Subclass that it marks; None if it marks more than one.
    in_paper : bool
        Whether the paper's table has cells of this line.
    """

    name: str
    subclass: Subclass | None
    in_paper: bool = True


def _lines(subclass: Subclass | None, *names: str, in_paper: bool = True) -> tuple[Line, ...]:
    return tuple(Line(name, subclass, in_paper) for name in names)


LINES: tuple[Line, ...] = (
    *_lines(
        Subclass.GLUTAMATERGIC,
        "Ctgf-T2A-dgCre",
        "Cux2-CreERT2",
        "Esr2-IRES2-Cre",
        "Esr2-IRES2-Cre-neo",
        "Esr2-IRES2-Cre|PhiC31-neo",
        "Esr2-IRES2-Cre-neo|PhiC31-neo",
        "Glt25d2-Cre_NF107",
        "Nr5a1-Cre",
        "Ntsr1-Cre_GN220",
        "Rbp4-Cre_KL100",
        "Rorb-IRES2-Cre",
        "Scnn1a-Tg2-Cre",
        "Scnn1a-Tg3-Cre",
        "Sim1-Cre_KJ18",
        "Tlx3-Cre_PL56",
    ),
    *_lines(Subclass.PVALB, "Pvalb-IRES-Cre", "Nkx2-1-CreERT2", "Slc32a1-T2A-FlpO|Vipr2-IRES2-Cre"),
    *_lines(
        Subclass.SST,
        "Sst-IRES-Cre",
        "Nos1-CreERT2|Sst-IRES-FlpO",
        "Chrna2-Cre_OE25",
        "Oxtr-T2A-Cre",
        "Nos1-CreERT2",
    ),
    *_lines(Subclass.VIP, "Vip-IRES-Cre", "Chat-IRES-Cre-neo"),
    *_lines(Subclass.HTR3A, "Htr3a-Cre_NO152", "Ndnf-IRES2-dgCre", "Gad2-IRES-Cre"),
    *_lines(Subclass.GLUTAMATERGIC, "Slc17a6-IRES-Cre", "Penk-IRES2-Cre-neo", in_paper=False),
    *_lines(
        Subclass.PVALB,
        "Pvalb-T2A-CreERT2",
        "Pvalb-T2A-FlpO|Vipr2-IRES2-Cre",
        "Chrna2-Cre_OE25|Pvalb-T2A-Dre",
        "Htr3a-Cre_NO152|Pvalb-T2A-Dre",
        in_paper=False,
    ),
    *_lines(None, "Vipr2-IRES2-Cre", "Vipr2-IRES2-Cre-neo", "Gng7-Cre_KH71", in_paper=False),
)

LINE_SUBCLASS: dict[str, Subclass | None] = {line.name: line.subclass for line in LINES}

PUBLISHED_NAMES: dict[str, Subclass] = {
    "Glutamatergic": Subclass.GLUTAMATERGIC,
    "Pvalb+": Subclass.PVALB,
    "Sst+": Subclass.SST,
    "Vip+": Subclass.VIP,
    "Htr3a+|Vip-": Subclass.HTR3A,
}


def label_of(value: str) -> str:
    """Display label of a class: ``Htr3a`` reads ``Htr3a+|Vip−``, all others are unchanged."""
    return Subclass(value).label if value in SUBCLASS_ORDER else value


def labels_of_cell(species: str, line: str | None, dendrite: str | None) -> tuple[Broad | None, Subclass | None]:
    """Derive a database cell's broad class and subclass from its driver line and dendrite type.

    A mouse cell whose dendrites contradict its line keeps neither label (as in the paper's table,
    which has no such cell); a human cell has a broad class only.

    Parameters
    ----------
    species : str
        ``mouse`` or ``human``.
    line : str or None
        Driver line as the database spells it; None for human cells.
    dendrite : str or None
        Dendrite type as the database tags it.

    Returns
    -------
    tuple of (Broad or None, Subclass or None)
    """
    broad = Dendrite(dendrite).broad if dendrite in set(Dendrite) else None
    if species == Species.HUMAN:
        return broad, None
    subclass = LINE_SUBCLASS.get(line or "")
    if subclass is None or broad is None or subclass.broad is not broad:
        return (broad if subclass is None else None), None
    return broad, subclass


def broad_of(label: str) -> str:
    """The broad class of a class of any task.

    Raises
    ------
    ValueError
        If it is none.
    """
    if label in BROAD_ORDER:
        return label
    return (Subclass(label) if label in SUBCLASS_ORDER else HumanSubclass(label)).broad.value
