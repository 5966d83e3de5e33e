"""Which cell this is: its class and what that rests on, its place and donor, its pages in the database."""

import html

import pandas as pd
import streamlit as st

from neuroclass.cell_types import COLOURS, Species, label_of
from neuroclass.charts.theme import UNKNOWN
from neuroclass.cohort.cohort import Cohort
from neuroclass.ui import cache, widgets
from neuroclass.ui.text import escaped

DATABASE_PAGE = "https://celltypes.brain-map.org/experiment/electrophysiology/"
MORPHOLOGY_PAGE = "https://celltypes.brain-map.org/experiment/morphology/"
STRUCTURES = {
    "VISp": "primary visual",
    "VISl": "lateral visual",
    "VISpm": "posteromedial visual",
    "VISpl": "posterolateral visual",
    "VISpor": "postrhinal",
    "VISal": "anterolateral visual",
    "VISam": "anteromedial visual",
    "VISli": "laterointermediate",
    "VISrl": "rostrolateral",
    "VISa": "anterior visual",
    "RSPd": "retrosplenial, dorsal",
    "RSPagl": "retrosplenial, lateral agranular",
    "SSp-tr": "primary somatosensory, trunk",
    "SSp-bfd": "primary somatosensory, barrel field",
    "SSp-n": "primary somatosensory, nose",
    "AUDp": "primary auditory",
    "AUDpo": "posterior auditory",
    "TEa": "temporal association",
    "MTG": "middle temporal gyrus",
    "MFG": "middle frontal gyrus",
    "IFG": "inferior frontal gyrus",
    "SFG": "superior frontal gyrus",
    "ITG": "inferior temporal gyrus",
    "AnG": "angular gyrus",
    "PLP": "planum polare",
    "FroL": "frontal lobe",
    "TemL": "temporal lobe",
}
"""Areas of the Allen reference atlases that the database names by their acronyms."""
_DOT = "display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.5em;background:"
NEGATIVE = (
    "Reporter-negative: this cell did not express the fluorescent reporter of its driver line, so the line is weak "
    "evidence of its class. The label follows the line all the same."
)


def heading(cells: Cohort, row: pd.Series) -> None:
    """Title, and that the cell is simulated."""
    widgets.heading(f"Cell {escaped(title(row))}", "")
    widgets.simulated_notice(cells)


def show(cells: Cohort, row: pd.Series) -> None:
    """Class with its origin, and what is known of the cell."""
    _class(cells, row)
    with st.container(horizontal=True, gap="medium", key="identity"):
        for name, value in _known(row).items():
            with st.container(width="content"):
                st.markdown(f"{name}  \n**{escaped(value)}**")
    with st.container(horizontal=True, vertical_alignment="center"):
        _links(cells, row)


def title(row: pd.Series) -> str:
    """Id, class, species and place of a cell."""
    place = " ".join(filter(None, (row["species"], row["structure"], row["layer"] and f"L{row['layer']}")))
    return " · ".join(filter(None, (row["id"], class_of(row), place)))


def class_of(row: pd.Series) -> str:
    """The cell's subclass, else its broad class, else that it is unknown."""
    return label_of(row["subclass"] or row["broad"] or "class unknown")


def _class(cells: Cohort, row: pd.Series) -> None:
    colour = COLOURS.get(row["subclass"] or row["broad"], UNKNOWN)
    text = html.escape(f": {origin(cells, row)}")
    st.html(f"<span style='{_DOT}{colour}'></span><strong>{html.escape(class_of(row))}</strong>{text}")
    if row["reporter_status"] == "negative" and not cells.simulated:
        st.warning(NEGATIVE, icon=":material/warning:")


def origin(cells: Cohort, row: pd.Series) -> str:
    """What the cell's label rests on."""
    if not (row["subclass"] or row["broad"]):
        return "neither driver line nor dendrite type tells the class."
    if cells.simulated:
        return "the class as which the cell was simulated."
    if cells.source != cache.cohort().source:
        return "labelled by transcriptome, excitatory cells by place or dendrite type."
    dendrites = f"{row['dendrite_type']} dendrites" if row["dendrite_type"] else ""
    if row["species"] == Species.HUMAN or not row["subclass"]:
        return f"labelled by dendrite type ({dendrites or 'not tagged'})."
    beside = f"; the cell has {dendrites}" if dendrites else ""
    return f"labelled by driver line ({row['line'] or 'not given'}){beside}."


def _known(row: pd.Series) -> dict[str, str]:
    structure = row["structure"] or ""
    long = STRUCTURES.get(structure)
    shown = {
        "Layer": row["layer"],
        "Structure": f"{structure} ({long})" if long else structure,
        "Driver line": row["line"],
        "Dendrites": row["dendrite_type"],
        "Reporter": row["reporter_status"],
        "Donor": row["donor"],
    }
    return {name: str(value) for name, value in shown.items() if value}


def _links(cells: Cohort, row: pd.Series) -> None:
    if not cells.simulated and str(row["id"]).isdigit():
        icon = ":material/open_in_new:"
        st.link_button("Allen database", f"{DATABASE_PAGE}{row['id']}", icon=icon)
        st.link_button("Morphology", f"{MORPHOLOGY_PAGE}{row['id']}", icon=icon)
    same = int((cells.frame["donor"] == row["donor"]).sum()) - 1
    if same > 0:
        label = f"{same} more {'cell' if same == 1 else 'cells'} of the same donor"
        st.link_button(label, f"explore?f_donor={row['donor']}", type="tertiary")
