"""What the reproduction's tables and captions say, as plain numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.cell_types import TASK_CLASSES, Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation import dann_selection, lspin_selection
from neuroclass.evaluation.dann_selection import OWN, TRAINING
from neuroclass.evaluation.metrics import summarise
from neuroclass.evaluation.published import published_results
from neuroclass.evaluation.search_on_test import expected_best, spread
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.paper_tables import (
    HONEST_WAY,
    Parts,
    at,
    best_dann,
    chosen_lspin,
    dann_predictions,
    gates,
    lspin_predictions,
    lspin_scores,
)
from neuroclass.types.models import DANN, LSPIN

PAPER_TRIALS = 6000
"""Settings that the paper's search scored on the test cells."""
BASELINES = ("rf", "svc", "xgboost")


def numbers_of(cohort: Cohort, parts: Parts) -> dict[str, Any]:
    """Every number that is shown.

    Returns
    -------
    dict
        ``cells``, ``table1``, ``table2`` (rows), ``figures``, ``selection`` (``lspin``, ``dann``). Accuracies and
        macro F1 are fractions; of several runs ``mean``, ``sd``, ``low``, ``high`` over them, of cross-validation
        ``mean`` and a 95% interval over donors.
    """
    return {
        "cells": _cells(cohort, parts),
        "table1": _table1(parts),
        "table2": _table2(parts),
        "figures": _figures(cohort, parts),
        "selection": {"lspin": _lspin_selection(parts), "dann": _dann_selection(parts)},
    }


def _cells(cohort: Cohort, parts: Parts) -> dict[str, Any]:
    species = cohort.frame["species"]
    return {
        "source": cohort.source.split(" in /")[0],
        "simulated": cohort.simulated,
        "sha256": cohort.digest(),
        "n_mouse": int((species == Species.MOUSE.value).sum()),
        "n_human": int((species == Species.HUMAN.value).sum()),
        "n_donors": int(cohort.frame["donor"].nunique()),
        "lspin": {
            "complete": len(parts.subclass.truth),
            "train": len(parts.subclass.train),
            "validation": len(parts.subclass.validation),
            "test": len(parts.subclass.test),
            "few": len(parts.subclass.few),
            "others": len(parts.subclass.others),
        },
        "dann": {
            "train": len(parts.broad.train),
            "validation": len(parts.broad.validation),
            **{f"test {one.value}": int((parts.broad.species[parts.broad.test] == one.value).sum()) for one in Species},
        },
    }


def _published(name: str, system: str) -> dict[str, dict[str, float]]:
    """Published metrics by group of cells."""
    (row,) = (one for one in published_results(name) if one["model"] == system)
    return {group: {key: value["mean"] for key, value in found.items()} for group, found in row["groups"].items()}


def _honest(parts: Parts, system: str, species: str | None = None) -> dict[str, Any]:
    table = parts.honest[system]["predictions"]
    rows = table if species is None else table[table["species"] == species]
    classes = TASK_CLASSES[DANN.task if system.startswith(DANN.name) else LSPIN.task]
    counts = {name: int(rows[column].nunique()) for name, column in _COUNTED.items()}
    return {**summarise(rows, classes), **counts}


_COUNTED = {"n_cells": "id", "n_donors": "donor", "n_repeats": "repeat"}


def _on_split(parts: Parts, system: str, species: str) -> dict[str, Any]:
    found = parts.split[system][species]
    return {name: {key: found[name][key] for key in ("mean", "sd")} for name in ("accuracy", "macro_f1")}


def _table1(parts: Parts) -> list[dict[str, Any]]:
    best = best_dann(parts)
    chosen, seeds = dann_selection.accuracies(best), dann_selection.spreads(parts.dann["seeds"])
    published = _published("dann", "dann")
    rows = []
    for one in (Species.MOUSE.value, Species.HUMAN.value):
        rows.append(
            {
                "system": "dann-paper",
                "cells": one,
                "published": published[one],
                "chosen": {"accuracy": {"mean": chosen[one, OWN]}},
                "unchosen": {"accuracy": seeds[f"{one} {OWN}"]},
                "honest": _honest(parts, "dann-paper", one),
            }
        )
    return rows + [
        {
            "system": "dann",
            "cells": one,
            "published": None,
            "chosen": None,
            "unchosen": _on_split(parts, "dann", one),
            "honest": _honest(parts, "dann", one),
        }
        for one in (Species.MOUSE.value, Species.HUMAN.value)
    ]


def _table2(parts: Parts) -> list[dict[str, Any]]:
    best, seeds = chosen_lspin(parts), lspin_scores(parts, parts.lspin["seeds"])
    rows: list[dict[str, Any]] = [
        {
            "system": "lspin-paper",
            "cells": "mouse",
            "published": _published("lspin", "lspin")["mouse"],
            "chosen": {name: {"mean": best[name]} for name in ("accuracy", "macro_f1")},
            "unchosen": {name: spread([one[name] for one in seeds]) for name in ("accuracy", "macro_f1")},
            "honest": _honest(parts, "lspin-paper"),
        }
    ]
    for name in BASELINES:
        found = parts.baselines[name]
        several = found["n_settings"] > 1
        rows.append(
            {
                "system": name,
                "cells": "mouse",
                "published": _published("lspin", name)["mouse"],
                "chosen": _as_means(found["chosen"]) if several else None,
                "unchosen": _as_means(found["default"]),
                "equal": _as_means(found["equal"]),
                "n_settings": found["n_settings"],
                "honest": _honest(parts, name),
            }
        )
    ours: dict[str, Any] = {"system": "lspin", "cells": "mouse", "published": None, "chosen": None}
    return [
        *rows,
        {**ours, "unchosen": _on_split(parts, "lspin", Species.MOUSE.value), "honest": _honest(parts, "lspin")},
    ]


def _as_means(values: Mapping[str, float]) -> dict[str, dict[str, float]]:
    return {name: {"mean": value} for name, value in values.items()}


def _lspin_selection(parts: Parts) -> dict[str, Any]:
    table = lspin_selection.candidates(parts.lspin["trials"])
    again, seeds = (lspin_scores(parts, parts.lspin[name]) for name in ("again", "seeds"))
    best = chosen_lspin(parts)
    n_test = len(parts.subclass.test)
    unchosen = spread([one["accuracy"] for one in seeds])
    return {
        "n_trials": len(parts.lspin["trials"]),
        "n_settings": len(table),
        "n_test": n_test,
        "standard_error": float(np.sqrt(best["accuracy"] * (1 - best["accuracy"]) / n_test)),
        "by_test": best,
        "by_validation": at(parts, table, int(table["validation"].idxmax())),
        "again": spread([one["accuracy"] for one in again]),
        "seeds": unchosen,
        "paper_trials": PAPER_TRIALS,
        "expected_best": expected_best(unchosen, PAPER_TRIALS),
        "n_seeds": len(seeds),
        "published": _published("lspin", "lspin")["mouse"]["accuracy"],
        "honest": _honest(parts, "lspin-paper")["accuracy"],
    }


def _dann_selection(parts: Parts) -> dict[str, Any]:
    best = dann_selection.accuracies(best_dann(parts))
    return {
        "n_trials": len(parts.dann["trials"]),
        "n_seeds": len(parts.dann["seeds"]),
        "by_test": {" ".join(key): value for key, value in best.items()},
        "again": dann_selection.spreads(parts.dann["again"]),
        "seeds": dann_selection.spreads(parts.dann["seeds"]),
        "published": {one: values["accuracy"] for one, values in _published("dann", "dann").items()},
        "honest": {one.value: _honest(parts, "dann-paper", one.value)["accuracy"] for one in Species},
        "scalings": [OWN, TRAINING],
    }


def _figures(cohort: Cohort, parts: Parts) -> dict[str, Any]:
    frame = cohort.frame
    mouse, human = (frame[frame["species"] == one.value] for one in (Species.MOUSE, Species.HUMAN))
    return {
        "4": {"n_cells": len(mouse), "classes": _counts(mouse["subclass"]), "n_lines": int(mouse["line"].nunique())},
        "5": {"n_cells": len(human), "classes": _counts(human["dendrite_type"])},
        "8": {way: _recalls(rows) for way, rows in _ways(lspin_predictions(parts))},
        "9": _gates(parts),
        "10": {
            f"{species}, {way}": _recalls(rows)
            for way, table in _ways(dann_predictions(parts))
            for species, rows in table.groupby("species")
        },
    }


def _ways(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(way), table[table["way"] == way]) for way in dict.fromkeys(table["way"])]


def _counts(values: "pd.Series[Any]") -> dict[str, int]:
    return {str(name): int(n) for name, n in values.value_counts().items()}


def _recalls(rows: pd.DataFrame) -> dict[str, Any]:
    right = rows["truth"] == rows["predicted"]
    by_class = {str(name): float(value) for name, value in right.groupby(rows["truth"]).mean().items()}
    return {"n_cells": int(rows["id"].nunique()), "accuracy": float(right.mean()), "recall": by_class}


def _gates(parts: Parts) -> dict[str, dict[str, float]]:
    found = {way: _openness(rows) for way, rows in gates(parts).items()}
    return found | ({} if parts.stored_open is None else {HONEST_WAY: {"median_open": parts.stored_open}})


def _openness(gate_rows: pd.DataFrame) -> dict[str, float]:
    n_open = (gate_rows[list(FEATURE_NAMES)] > 0).sum(axis=1)
    return {
        "n_cells": len(gate_rows),
        "median_open": float(n_open.median()),
        "share_open": float(n_open.mean() / len(FEATURE_NAMES)),
    }
