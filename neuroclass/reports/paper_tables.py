"""The tables behind the reproduction's figures: ids and what models say of cells, but no feature of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation import dann_selection, lspin_selection
from neuroclass.evaluation.dann_selection import OWN
from neuroclass.evaluation.published_split import BroadCells, SubclassCells, complete_mouse, labelled_broad
from neuroclass.evaluation.search_on_test import Run, scores
from neuroclass.features import FEATURE_NAMES
from neuroclass.types.models import DANN, LSPIN

PUBLISHED_WAY, HONEST_WAY, OURS = "published protocol", "honest", "ours, honest"
COUNTED = ("species", "subclass", "dendrite_type", "broad", "line")


@dataclass(frozen=True)
class Parts:
    """Everything that was computed.

    Attributes
    ----------
    subclass, broad
        The cells as the paper divides them.
    lspin, dann : dict
        ``trials`` of the search, runs with the published settings (``seeds``) and with the chosen ones (``again``).
    baselines : dict
        By system, see `run_baseline`.
    honest : dict
        By system: predictions, and gates where there are some.
    split : dict
        Ours on the paper's split: summaries by system and species.
    shap : DataFrame
        Towards the first class: id, species, network (``paper`` or ``ours``) and one column per feature.
    stored_open : float or None
        Median number of open gates of the paper's recipe on held-out donors, where its gates were not kept.
    """

    subclass: SubclassCells
    broad: BroadCells
    lspin: dict[str, Any]
    dann: dict[str, Any]
    baselines: dict[str, dict[str, Any]]
    honest: dict[str, dict[str, pd.DataFrame]]
    split: dict[str, dict[str, Any]]
    shap: pd.DataFrame
    stored_open: float | None = None


def lspin_scores(parts: Parts, runs: Sequence[Run]) -> list[dict[str, float]]:
    """Accuracy and macro F1 on the test cells at the last step of each run."""
    truth = parts.subclass.truth[parts.subclass.test]
    return [scores(truth, run["predicted"][-1], len(LSPIN.classes)) for run in runs]


def at(parts: Parts, table: pd.DataFrame, place: int) -> dict[str, Any]:
    """One tried setting, with its scores on the test cells."""
    row = table.loc[place]
    run = parts.lspin["trials"][int(row["trial"]) - 1][1]
    step = int(np.flatnonzero(run["curve"]["steps"] == row["steps"])[0])
    truth = parts.subclass.truth[parts.subclass.test]
    settings = {name: row[name] for name in ("trial", "steps", "gating", "prediction")}
    settings |= {name: float(row[name]) for name in ("gate_penalty", "learning_rate", "validation")}
    found = scores(truth, run["predicted"][step], len(LSPIN.classes))
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in settings.items()} | found


def chosen_lspin(parts: Parts) -> dict[str, Any]:
    """The setting that is best on the test cells."""
    table = lspin_selection.candidates(parts.lspin["trials"])
    return at(parts, table, int(table["test"].idxmax()))


def best_dann(parts: Parts) -> Run:
    """The run that is best on both test sets."""
    found: Run = max((run for _, run in parts.dann["trials"]), key=dann_selection.objective)
    return found


def gates(parts: Parts, cohort: Cohort | None = None) -> dict[str, pd.DataFrame]:
    """Gates by way: id, truth, predicted and one column per feature, 0 shut to 1 open."""
    cells, run = parts.subclass, parts.lspin["seeds"][0]
    names = np.array(LSPIN.classes, dtype=object)
    ids = cells.test.astype(str) if cohort is None else complete_mouse(cohort).column("id")[cells.test]
    table = pd.DataFrame({"id": ids, "truth": names[cells.truth[cells.test]], "predicted": names[run["predicted"][-1]]})
    values = pd.DataFrame(np.asarray(run["gates"], dtype=np.float32).round(3), columns=list(FEATURE_NAMES))
    ways = ((HONEST_WAY, "lspin-paper"), (OURS, "lspin"))
    honest = {way: parts.honest[name]["gates"] for way, name in ways if "gates" in parts.honest[name]}
    return {PUBLISHED_WAY: pd.concat([table, values], axis=1), **honest}


def lspin_predictions(parts: Parts, cohort: Cohort | None = None) -> pd.DataFrame:
    """Predicted subclasses by way: id, way, truth, predicted; of the published one by the settings it chose."""
    cells, best = parts.subclass, chosen_lspin(parts)
    run = parts.lspin["trials"][int(best["trial"]) - 1][1]
    predicted = run["predicted"][int(np.flatnonzero(run["curve"]["steps"] == best["steps"])[0])]
    names = np.array(LSPIN.classes, dtype=object)
    ids = cells.test.astype(str) if cohort is None else complete_mouse(cohort).column("id")[cells.test]
    published = {
        "id": ids,
        "way": PUBLISHED_WAY,
        "truth": names[cells.truth[cells.test]],
        "predicted": names[predicted],
    }
    honest = [
        parts.honest[name]["predictions"][["id", "truth", "predicted"]].assign(way=way)
        for way, name in ((HONEST_WAY, "lspin-paper"), (OURS, "lspin"))
    ]
    return pd.concat([pd.DataFrame(published), *honest], ignore_index=True)


def dann_predictions(parts: Parts, cohort: Cohort | None = None) -> pd.DataFrame:
    """Predicted types by way: id, species, way, truth, predicted; of the published one by the settings it chose."""
    table: pd.DataFrame = best_dann(parts)["predictions"]
    table = table[table["scaled"] == OWN]
    names = np.array(DANN.classes, dtype=object)
    rows = table["row"].to_numpy()
    ids = rows.astype(str) if cohort is None else labelled_broad(cohort).column("id")[rows]
    published = {"id": ids, "species": table["species"].to_numpy(), "way": PUBLISHED_WAY}
    published |= {name: names[table[name].to_numpy()] for name in ("truth", "predicted")}
    honest = [
        parts.honest[name]["predictions"][["id", "species", "truth", "predicted"]].assign(way=way)
        for way, name in ((HONEST_WAY, "dann-paper"), (OURS, "dann"))
    ]
    return pd.concat([pd.DataFrame(published), *honest], ignore_index=True)


def tables_of(cohort: Cohort, parts: Parts) -> dict[str, pd.DataFrame]:
    """The tables behind the figures; ids and what the models say of the cells, but no feature of one."""
    counted = cohort.frame[list(COUNTED)].value_counts(dropna=False).rename("cells").reset_index()
    found = gates(parts, cohort)
    return {
        "composition": counted,
        "lspin-trials": lspin_selection.candidates(parts.lspin["trials"]),
        "lspin-runs": _runs(parts),
        "lspin-predictions": lspin_predictions(parts, cohort),
        "gates": pd.concat([one.assign(way=way) for way, one in found.items()], ignore_index=True),
        "dann-trials": dann_selection.candidates(parts.dann["trials"]),
        "dann-runs": _dann_runs(parts),
        "dann-predictions": dann_predictions(parts, cohort),
        "shap": parts.shap,
    }


def _runs(parts: Parts) -> pd.DataFrame:
    """Test accuracy of runs that nothing chose: what (``seeds`` or ``again``), accuracy."""
    tables = [
        pd.DataFrame({"what": what, "accuracy": [one["accuracy"] for one in lspin_scores(parts, parts.lspin[what])]})
        for what in ("seeds", "again")
    ]
    return pd.concat(tables, ignore_index=True)


def _dann_runs(parts: Parts) -> pd.DataFrame:
    """The same of DANN, by species and scaling."""
    rows = [
        {"what": what, "species": species, "scaled": scaled, "accuracy": value}
        for what in ("seeds", "again")
        for run in parts.dann[what]
        for (species, scaled), value in dann_selection.accuracies(run).items()
    ]
    return pd.DataFrame(rows)
