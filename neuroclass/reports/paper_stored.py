"""Honest figures that the shipped reports already hold, used where the loaded cells are those that they are about."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import ModelFileError
from neuroclass.evaluation.names import Protocol
from neuroclass.reports.store import ReportStore, Table, report_of
from neuroclass.types.models import DANN, LSPIN, MODELS


@dataclass(frozen=True)
class Stored:
    """The reports of the shipped DANN and LSPIN."""

    dann: ReportStore
    lspin: ReportStore

    def honest(self, system: str) -> dict[str, pd.DataFrame]:
        """Predictions of a system on held-out donors, five repeats; gates, too, of the shipped LSPIN."""
        report = self.dann if system == DANN.name else self.lspin
        ours = report.predictions()[["id", "species", "donor", "repeat", "fold", "truth", "predicted"]]
        if system in MODELS:
            found = {"predictions": ours}
            return found | ({"gates": report.table(Table.GATES)} if system == LSPIN.name else {})
        others = report.comparisons()
        theirs = others.loc[others["system"] == system, ["id", "repeat", "predicted"]]
        return {"predictions": ours.drop(columns="predicted").merge(theirs, on=["id", "repeat"], validate="one_to_one")}

    def split(self, system: str) -> dict[str, Any]:
        """Summaries by species on the paper's split, five seeds."""
        row = self._row(system, Protocol.PAPER_SPLIT)
        return dict(row["groups"])

    def open_gates(self, system: str) -> float:
        """Median number of open gates a held-out cell."""
        return float(self._row(system, Protocol.DONOR_CV)["open_gates"]["median"])

    def shap(self, n_cells: int) -> pd.DataFrame:
        """SHAP values towards the first class by the shipped DANN, of evenly drawn held-out cells of each species."""
        table = self.dann.table(Table.SHAP)
        table = table[table["class"] == DANN.classes[0]]
        drawn = [
            rows.iloc[np.unique(np.linspace(0, len(rows) - 1, n_cells).astype(int))]
            for _, rows in table.groupby("species")
        ]
        return pd.concat(drawn, ignore_index=True)

    def _row(self, system: str, protocol: Protocol) -> dict[str, Any]:
        rows = (self.dann if system == DANN.name else self.lspin).metrics()
        return next(one for one in rows if one["model"] == system and one["protocol"] == protocol.value)


def stored_results(cohort: Cohort) -> Stored | None:
    """The shipped reports, where they are about just these cells; else None."""
    reports = {name: report_of(name) for name in MODELS}
    try:
        for name, report in reports.items():
            trained = (report.card().get("training_cells") or {}).get("sha256")
            if trained != cohort.labelled(MODELS[name].task).digest():
                return None
            report.comparisons(), report.predictions(), report.metrics()
    except ModelFileError:
        return None
    return Stored(reports[DANN.name], reports[LSPIN.name])
