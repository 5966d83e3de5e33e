"""A user's own labelled cells on the Performance page: the same figures, and recalibration to their laboratory."""

import hashlib
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from neuroclass.adaptation.labelled_table import MOST_CELLS, LabelledTable, read_labelled
from neuroclass.adaptation.other_laboratories import Systems, evaluate_tables, sets_to_fit
from neuroclass.adaptation.recalibration import (
    LEAST_A_CLASS,
    RecalibrationCheck,
    recalibrate,
    why_not_recalibrated,
)
from neuroclass.cell_types import label_of
from neuroclass.classification.models import Models, load_models
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import TableError
from neuroclass.evaluation.evaluate import Evaluation
from neuroclass.evaluation.names import ALONE, BATCH
from neuroclass.reports.other_laboratories import shipped_systems
from neuroclass.training.library import feature_set_library
from neuroclass.types.models import MODELS
from neuroclass.ui import arrivals, cache, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.performance import laboratory_views
from neuroclass.ui.text import escaped

MOST_SETS = 20
SECONDS_A_SET = 10
_SYSTEMS = {ALONE: "each cell alone", BATCH: "adapted as one batch"}


@dataclass(frozen=True)
class _Measured:
    """A user's table as evaluated."""

    table: LabelledTable
    evaluation: Evaluation


def show(model: str) -> None:
    """Upload field, and the figures of what is uploaded."""
    st.subheader("Your laboratory", anchor=False)
    st.caption(
        "A table in the upload format (the template is on the Classify page) with the column `truth` or `label`, and "
        f"optionally `cell`, `donor` and `species` (mouse where not given). At most {MOST_CELLS:,} cells. It is read "
        "into memory for this view and not stored."
    )
    _own(model)


@st.fragment
def _own(model: str) -> None:
    file = st.file_uploader("Labelled cells (CSV, Parquet, XLSX)", key=f"own-{model}")
    if file is None:
        return
    with guarded(stop=False):
        content = arrivals.opened(file).read()
        table = read_labelled(content, file.name)
        for note in table.notes:
            st.warning(escaped(note, 600), icon=":material/filter_alt:")
        digest = hashlib.sha256(content + file.name.encode()).hexdigest()
        tables = table.tables(MODELS[model].task)
        if not tables:
            raise TableError(
                f"{file.name} has no cell with a class of {MODELS[model].title}: {', '.join(MODELS[model].classes)}. "
                "Subclasses are predicted of mouse cells only; choose DANN for human cells or broad labels."
            )
        n_sets = sets_to_fit(feature_set_library(), tables)
        if n_sets > MOST_SETS:
            raise TableError(
                f"{file.name} has cells with {n_sets} sets of features for which no model is stored; at most "
                f"{MOST_SETS} are fitted here. Leave out columns that most cells lack."
            )
        if n_sets:
            st.caption(f"Models of {n_sets} sets of features are fitted first, about {SECONDS_A_SET} s each.")
        measured = _measured(table, model, load_models(), cache.cohort())
        _draw(measured, model, digest)


@st.cache_resource(max_entries=1, show_spinner=False, hash_funcs=cache.HASHES)
def _systems(models: Models) -> Systems:  # noqa: ARG001 (what was on disk when they were loaded)
    return shipped_systems()


@st.cache_resource(max_entries=8, show_spinner="Evaluating the cells", hash_funcs=cache.HASHES)
def _measured(table: LabelledTable, model: str, models: Models, cells: Cohort) -> _Measured:
    return _Measured(table, evaluate_tables(model, _systems(models), table.tables(MODELS[model].task), cells))


def _draw(measured: _Measured, model: str, digest: str) -> None:
    key = f"own-{model}-{digest[:8]}"
    rows, predictions = measured.evaluation.result["laboratories"], measured.evaluation.predictions
    if cache.cohort().simulated:
        st.caption("The database's cells are not loaded, so no baseline is fitted.")
    laboratory_views.show(rows, predictions, MODELS[model].classes, key)
    donors = measured.table.cells.frame.set_index("id")["donor"]
    for laboratory in dict.fromkeys(predictions["laboratory"]):
        st.subheader(f"Recalibrated to {escaped(laboratory)}, cross-validated on its own cells", anchor=False)
        cells = predictions[predictions["laboratory"] == laboratory]
        why_not = why_not_recalibrated(cells.loc[cells["system"] == ALONE, "truth"].tolist())
        if why_not:
            st.info(f"Not recalibrated: {escaped(why_not, 300)}.", icon=":material/info:")
            continue
        adapted = {row["system"] for row in rows if row["laboratory"] == laboratory and row.get("adapted")}
        checks = {
            name: recalibrate(part, MODELS[model].classes, donors.loc[part["id"]].tolist())
            for name in _SYSTEMS
            if name == ALONE or name in adapted
            for part in (cells[cells["system"] == name],)
        }
        _recalibration(checks, MODELS[model].classes, f"{key}-{laboratory}")


def _recalibration(checks: dict[str, RecalibrationCheck], classes: tuple[str, ...], key: str) -> None:
    table = pd.DataFrame(
        {"probabilities": f"{_SYSTEMS[system]}, {when}", **figures}
        for system, check in checks.items()
        for when, figures in (("before", check.before), ("recalibrated", check.after))
    )
    shown, config = widgets.in_percent(table, laboratory_views.FIGURES)
    size = laboratory_views.SET_SIZE
    st.dataframe(
        shown.rename(columns={"probabilities": "Probabilities", "set_size": size}),
        hide_index=True,
        column_config={**config, size: st.column_config.NumberColumn(format="%.2f")},
        key=f"{key}-recalibrated",
        placeholder="",
    )
    widgets.csv_button(f"{key}-recalibrated", table)
    check = checks[ALONE]
    biases = ", ".join(f"{escaped(label_of(c))} {b:+.2f}" for c, b in zip(classes, check.fitted.bias, strict=True))
    whole = "no donor stands on both sides of a fold" if check.grouped_by == "donor" else "folds are of single cells"
    st.caption(
        f"{check.n_cells} labelled cells, {check.n_folds}-fold cross-validation; {whole}, and each cell is "
        f"recalibrated by the folds without it. The figures describe this "
        f"laboratory's cells only, and need {LEAST_A_CLASS} labelled cells or more of each class present. Fitted to "
        f"all of them, each cell alone: temperature {check.fitted.temperature:.2f}, biases (natural log) {biases}, "
        f"largest 1 − p of a class in a set {check.fitted.limit:.2f}. Verdicts on the Classify page are not changed."
    )
