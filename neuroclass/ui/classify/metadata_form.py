"""What a user says of the uploaded cells: species, resistances, recording conditions, line, wrong headers."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
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

UNKNOWN = "not given"
NOTHING = "none"
_UNITS_V, _UNITS_A = ("mV", "V", "uV"), ("pA", "nA", "A")
_LINES = sorted(line for line, subclass in LINE_SUBCLASS.items() if subclass is not None)
_CORRECTED = {UNKNOWN: None, "yes": True, "no": False}


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


def metadata() -> CellMetadata:
    """What the user says about the cells; remembered for the session, and the species also by the last cell kept.

    Raises
    ------
    SettingsError
        If the user excludes every class.
    """
    if "species" not in st.session_state and "species" not in st.query_params:
        last = None
        with suppress(HistoryError):
            last = next(iter(store.history().find(visitor())), None)
        given = str(last.context.get("species", "")) if last else ""
        st.session_state["species"] = given if given in list(Species) else UNKNOWN
    with st.container(key="species-and-rig"):
        first, *others = st.columns([5, 3, 3, 3], vertical_alignment="bottom")
    with first:
        species = _species()
    temperature, junction, subtracted = _rig(others)
    with st.expander("More about the cells (optional)", icon=":material/edit_note:"):
        st.markdown("**Used for the answer**")
        prior = _prior()
        entered = _resistances()
        corrected = Conditions(temperature, junction, subtracted, correct_temperature=_by_q10())
        st.markdown("**For the record** (no model uses them)")
        age, region, preparation = _record()
        conditions = replace(corrected, age=age, region=region, preparation=preparation)
        mapping = _mapping()
    return CellMetadata(None if species == UNKNOWN else species, entered, mapping, conditions=conditions, prior=prior)


def _species() -> str:
    """The cells' species where their files do not say it."""
    chosen = st.segmented_control(
        "Species, if the file does not say",
        [UNKNOWN, *(s.value for s in Species)],
        required=True,
        key="species",
        bind="query-params",
        help="It decides which models answer. Where it is not given, excitatory or inhibitory is the mean of "
        "both species, and the subclass is that of a mouse cell.",
    )
    return UNKNOWN if chosen is None else str(chosen)  # none when SHAP or Performance is left, which have the same key


def _prior() -> Prior:
    """Line or label, and classes that the cells cannot be."""
    first, second = st.columns(2, vertical_alignment="bottom")
    marked = first.selectbox(
        "Marker or driver line",
        [NOTHING, *PRESETS, *_LINES],
        key="marked",
        bind="query-params",
        help="Of all these cells. It excludes the broad class that it does not mark; the subclass is left to the "
        "recording.",
    )
    excluded = second.multiselect(
        "Excluded classes",
        list(dict.fromkeys((*BROAD_ORDER, *SUBCLASS_ORDER, *HUMAN_SUBCLASS_ORDER))),
        key="excluded",
        bind="query-params",
        format_func=label_of,
        placeholder="none",
        help="Classes that something other than the recording rules out. Their probability is set to 0 and the "
        "others' are scaled up (Bayes' rule).",
    )
    texts = [f"{name}=0" for name in excluded]
    if marked != NOTHING:
        texts.append(marked if marked in PRESETS else f"{LINE_PREFIX}{marked}")
    return parse_prior(texts)


def _record() -> tuple[str, str, str]:
    """Age, region and preparation."""
    first, second, third = st.columns(3, vertical_alignment="bottom")
    age = first.text_input(
        "Age (with its unit)", key="age", max_chars=60, persist_state="session", placeholder="P56 or 45 years"
    )
    region = second.text_input(
        "Brain region", key="region", max_chars=60, persist_state="session", placeholder="V1, layer 5"
    )
    prepared = third.selectbox(
        "Preparation",
        [UNKNOWN, *PREPARATIONS],
        key="preparation",
        persist_state="session",
        format_func=lambda name: PREPARATIONS.get(name, name),
        help="Performance, Human subclass, has the accuracy of either.",
    )
    return age.strip(), region.strip(), "" if prepared == UNKNOWN else str(prepared)


def _rig(columns: Sequence[Any]) -> tuple[float | None, float | None, bool | None]:
    """Temperature, junction potential and whether it is subtracted: what moves the answer most."""
    second, third, first = columns
    temperature = first.number_input(
        "Bath temperature (°C)",
        COLDEST_C,
        WARMEST_C,
        None,
        key="temperature",
        persist_state="session",
        help="The reference cells were recorded at 34 °C. The models allow for another temperature.",
    )
    junction = second.number_input(
        "Junction potential (mV)",
        -MOST_JUNCTION_MV,
        MOST_JUNCTION_MV,
        None,
        key="junction",
        persist_state="session",
        help="Your liquid junction potential, positive for gluconate in the pipette. The reference's is 14 mV and is "
        "not subtracted from its potentials.",
    )
    subtracted = third.selectbox(
        "Junction potential subtracted",
        list(_CORRECTED),
        key="junction_corrected",
        persist_state="session",
        help="Whether the junction potential is already subtracted from the file's potentials.",
    )
    return temperature, junction, _CORRECTED[str(subtracted)]


def _by_q10() -> bool:
    """Whether the features are brought to the reference's temperature."""
    return st.checkbox(
        "Correct for the temperature by Q10",
        key="correct_temperature",
        persist_state="session",
        help="Bring widths, slopes, time constants and resistances to 34 °C by assumed Q10. On labelled cells recorded "
        "at 25 °C this lowered the accuracy.",
    )


def _resistances() -> dict[str, float]:
    """Features that a person measures, where the file does not give them."""
    entered = {}
    for column, name in zip(st.columns(3, vertical_alignment="bottom"), PERSON_FEATURES, strict=False):
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
    return entered


def _mapping() -> ChannelMapping | None:
    """Channels, units, gains and offsets that override a file's header."""
    if not st.toggle("The file's channels, units or gains are wrong, or only some series are wanted", key="override"):
        return None
    series = st.text_input(
        "Series", key="series", placeholder="all", help="Of a HEKA bundle: labels or numbers, such as IV, 1.3."
    )
    potential, current = st.columns(2)
    response, unit_v, gain_v, offset_v = _channel("potential", "response", _UNITS_V, potential)
    stimulus, unit_a, gain_a, offset_a = _channel("current", "stimulus", _UNITS_A, current)
    return ChannelMapping(
        response,
        stimulus,
        unit_v,
        unit_a,
        series.strip() or None,
        gain_v,
        offset_v,
        gain_a,
        offset_a,
    )


def _channel(
    what: str, key: str, units: Sequence[str], place: Any
) -> tuple[str | None, str | None, float | None, float | None]:
    """Channel, unit, gain and offset of a potential or current; its first unit is that of the offset."""
    channel = place.text_input(f"Channel of the {what}", key=key, placeholder="name or number")
    unit = place.selectbox(f"Unit of the {what}", units, index=None, key=f"{key}_unit", placeholder="as in the file")
    gain = place.number_input(
        f"Gain of the {what}",
        value=None,
        format="%g",
        key=f"{key}_gain",
        placeholder="1",
        help="Gain that the stored values still contain, such as 20; they are divided by it.",
    )
    offset = place.number_input(
        f"Offset of the {what} ({units[0]})",
        value=None,
        format="%g",
        key=f"{key}_offset",
        placeholder="0",
        help="Added after the gain, such as −67 for a recording that is shifted by +67 mV.",
    )
    return channel.strip() or None, unit, gain or None, offset
