"""What a user says of the uploaded cells: species, resistances, recording conditions, line, wrong headers."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import streamlit as st

from neuroclass.cell_types import BROAD_ORDER, HUMAN_SUBCLASS_ORDER, LINE_SUBCLASS, SUBCLASS_ORDER, Species, label_of
from neuroclass.classification.metadata import CellMetadata
from neuroclass.ephys.conditions import COLDEST_C, MOST_JUNCTION_MV, PREPARATIONS, WARMEST_C, Conditions
from neuroclass.errors import HistoryError
from neuroclass.features import BY_NAME, PERSON_FEATURES
from neuroclass.io.channels import ChannelMapping
from neuroclass.predictors.priors import LINE_PREFIX, PRESETS, Prior, parse_prior
from neuroclass.ui.history import store
from neuroclass.ui.identity import visitor

UNKNOWN = "unknown"
NOTHING = "nothing"
_UNITS_V, _UNITS_A = ("mV", "V", "uV"), ("pA", "nA", "A")
_LINES = sorted(line for line, subclass in LINE_SUBCLASS.items() if subclass is not None)
_CORRECTED = {"unknown": None, "yes": True, "no": False}


def restore(metadata: CellMetadata) -> None:
    """Fill the form with what was entered before, ahead of showing it."""
    values: dict[str, Any] = {"species": metadata.species or UNKNOWN}
    for name in PERSON_FEATURES:
        values[name] = metadata.entered.get(name)
    conditions = metadata.conditions
    values |= {
        "temperature": conditions.temperature_c,
        "junction": conditions.junction_mv,
        "junction_corrected": next(k for k, v in _CORRECTED.items() if v is conditions.junction_corrected),
        "preparation": conditions.preparation or UNKNOWN,
        "age": conditions.age,
        "region": conditions.region,
    }
    mapping = metadata.mapping
    values["override"] = mapping is not None
    if mapping is not None:
        values |= {
            "response": mapping.response or "",
            "stimulus": mapping.stimulus or "",
            "response_unit": mapping.response_unit,
            "stimulus_unit": mapping.stimulus_unit,
            "series": mapping.series or "",
            "response_gain": mapping.response_gain,
            "response_offset": mapping.response_offset,
            "stimulus_gain": mapping.stimulus_gain,
            "stimulus_offset": mapping.stimulus_offset,
        }
    excluded = [name for name, weight in metadata.prior.weights.items() if not weight]
    preset = next((p for p, w in PRESETS.items() if dict(metadata.prior.weights) == w), None)
    values["marked"] = preset or NOTHING
    values["excluded"] = [] if preset else excluded
    st.session_state.update(values)


def metadata(expanded: bool = True) -> CellMetadata:
    """What the user says about the cells; remembered for the session, and the species also by the last cell kept.

    Parameters
    ----------
    expanded : bool
        Whether the form is open at first.

    Raises
    ------
    SettingsError
        If the user excludes every class.
    """
    if "species" not in st.session_state and "species" not in st.query_params:
        last = None
        with suppress(HistoryError):
            last = next(iter(store.history().find(visitor())), None)
        st.session_state["species"] = str(last.context.get("species", UNKNOWN)) if last else UNKNOWN
    with st.expander("Species and recording conditions (optional)", icon=":material/edit_note:", expanded=expanded):
        columns = st.columns(3)
        species = columns[0].segmented_control(
            "Species, where the file does not say",
            [UNKNOWN, *(s.value for s in Species)],
            required=True,
            key="species",
            bind="query-params",
        )
        entered = {}
        for column, name in zip(columns[1:], PERSON_FEATURES, strict=False):
            spec = BY_NAME[name]
            value = column.number_input(
                f"{spec.label} ({spec.shown_unit})",
                0.0,
                1e5,
                None,
                key=name,
                persist_state="session",
                help=f"{spec.definition} Used for every cell whose file does not give it.",
            )
            if value:
                entered[name] = float(value)
        prior = _prior()
        conditions = _conditions()
        mapping = _mapping()
    return CellMetadata(None if species == UNKNOWN else species, entered, mapping, conditions=conditions, prior=prior)


def _prior() -> Prior:
    """Line or label, and classes that the cells cannot be."""
    columns = st.columns(2)
    marked = columns[0].selectbox(
        "Labelled by (marker or line)",
        [NOTHING, *PRESETS, *_LINES],
        key="marked",
        bind="query-params",
        help="A marker or driver line of all these cells. It excludes the broad class that it does not mark; the "
        "subclass is left to the recording.",
    )
    excluded = columns[1].multiselect(
        "Excluded classes",
        list(dict.fromkeys((*BROAD_ORDER, *SUBCLASS_ORDER, *HUMAN_SUBCLASS_ORDER))),
        key="excluded",
        bind="query-params",
        format_func=label_of,
        help="Classes that something other than the recording rules out. Their probability is set to 0 and the "
        "others' are scaled up (Bayes' rule).",
    )
    texts = [f"{name}=0" for name in excluded]
    if marked != NOTHING:
        texts.append(marked if marked in PRESETS else f"{LINE_PREFIX}{marked}")
    return parse_prior(texts)


def _conditions() -> Conditions:
    """How the cells were recorded; the features are brought to the reference's conditions."""
    columns = st.columns(5)
    temperature = columns[0].number_input(
        "Temperature (°C)",
        COLDEST_C,
        WARMEST_C,
        None,
        key="temperature",
        persist_state="session",
        help="Of the bath. The reference cells were recorded at 34 °C. The models allow for another temperature.",
    )
    junction = columns[1].number_input(
        "Junction potential (mV)",
        -MOST_JUNCTION_MV,
        MOST_JUNCTION_MV,
        None,
        key="junction",
        persist_state="session",
        help="Your liquid junction potential, positive for gluconate in the pipette. The reference's is 14 mV and is "
        "not subtracted from its potentials.",
    )
    subtracted = columns[2].segmented_control(
        "Already subtracted", list(_CORRECTED), required=True, default="unknown", key="junction_corrected"
    )
    prepared = columns[2].selectbox(
        "Preparation",
        [UNKNOWN, *PREPARATIONS],
        key="preparation",
        persist_state="session",
        format_func=lambda name: PREPARATIONS.get(name, name),
        help="No model uses it. Performance, Human subclass, has the accuracy of either.",
    )
    preparation = "" if prepared == UNKNOWN else str(prepared)
    age = columns[3].text_input("Age", key="age", max_chars=60, persist_state="session", help="For the record.")
    region = columns[4].text_input(
        "Region", key="region", max_chars=60, persist_state="session", help="For the record."
    )
    correct = st.checkbox(
        "Correct for the temperature by Q10",
        key="correct_temperature",
        persist_state="session",
        help="Bring widths, slopes, time constants and resistances to 34 °C by assumed Q10. On labelled cells recorded "
        "at 25 °C this lowered the accuracy.",
    )
    corrected = _CORRECTED[str(subtracted)]
    return Conditions(temperature, junction, corrected, age.strip(), region.strip(), correct, preparation)


def _mapping() -> ChannelMapping | None:
    """Channels, units, gains and offsets that override a file's header."""
    if not st.toggle("The file's channels, units or gains are wrong, or only some series are wanted", key="override"):
        return None
    columns = st.columns(5)
    response = columns[0].text_input("Channel of the potential", key="response", placeholder="name or number")
    unit_v = columns[1].selectbox(
        "Unit of the potential", _UNITS_V, index=None, key="response_unit", placeholder="as in the file"
    )
    stimulus = columns[2].text_input("Channel of the current", key="stimulus", placeholder="name or number")
    unit_a = columns[3].selectbox(
        "Unit of the current", _UNITS_A, index=None, key="stimulus_unit", placeholder="as in the file"
    )
    series = columns[4].text_input(
        "Series", key="series", placeholder="all", help="Of a HEKA bundle: labels or numbers, such as IV, 1.3."
    )
    gain_v, offset_v = _scale("potential", "response", "mV", columns[:2])
    gain_a, offset_a = _scale("current", "stimulus", "pA", columns[2:4])
    return ChannelMapping(
        response.strip() or None,
        stimulus.strip() or None,
        unit_v,
        unit_a,
        series.strip() or None,
        gain_v,
        offset_v,
        gain_a,
        offset_a,
    )


def _scale(what: str, key: str, unit: str, columns: Sequence[Any]) -> tuple[float | None, float | None]:
    """Gain and offset of a potential or current."""
    gain = columns[0].number_input(
        f"Gain of the {what}",
        value=None,
        format="%g",
        key=f"{key}_gain",
        placeholder="1",
        help="Gain that the stored values still contain, such as 20; they are divided by it.",
    )
    offset = columns[1].number_input(
        f"Offset of the {what} ({unit})",
        value=None,
        format="%g",
        key=f"{key}_offset",
        placeholder="0",
        help="Added after the gain, such as −67 for a recording that is shifted by +67 mV.",
    )
    return gain or None, offset
