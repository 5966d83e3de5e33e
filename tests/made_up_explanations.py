"""Made-up explanations beside a made-up evaluation, of the shape that the report writes."""

from pathlib import Path

import numpy as np
import pandas as pd

from neuroclass.explain.groups import quantities
from neuroclass.features import FEATURE_NAMES

NAMES = list(FEATURE_NAMES)


def write_explanations(target: Path, model: str) -> None:
    """Add to the tables in an evaluation's folder those that explain."""
    rng = np.random.default_rng(1)
    shap = pd.read_parquet(target / "shap.parquet").reset_index(drop=True)
    groups = {key: shap[list(names)].sum(axis=1) for key, names in quantities().items()}
    meta = shap[["id", "species", "class", "base_value"]].assign(error=1e-9)
    pd.concat([meta, pd.DataFrame(groups)], axis=1).to_parquet(target / "shap-groups.parquet")
    some = shap[shap["id"].isin(shap["id"].unique()[:20])].assign(error=1e-9)
    systems = [
        some.assign(system=name, explainer=kind, unit=unit)
        for name, kind, unit in (("rf", "TreeExplainer", "probability"), ("lasso", "LinearExplainer", "log-odds"))
    ]
    pd.concat(systems).to_parquet(target / "shap-baselines.parquet")
    methods = ("SHAP", "permutation", *(["gates"] if model == "lspin" else []))
    runs = [
        pd.DataFrame({"run": f"fold {run}", "method": method, "feature": NAMES, "value": rng.random(41)})
        for run in (1, 2)
        for method in methods
    ]
    pd.concat(runs).to_parquet(target / "stability.parquet")
    if model == "lspin":
        _of_gates(target)
    else:
        _of_domains(target, rng)


def _of_gates(target: Path) -> None:
    points = [
        {"curve": curve, "how": how, "ranking": ranking, "features": k, "accuracy": 0.9, "low": 0.8, "high": 0.95}
        for curve in ("deletion", "insertion")
        for how in ("hidden", "shut")
        for ranking in ("gates", "SHAP", "random")
        for k in (0, 5, 41)
    ]
    pd.DataFrame(points).assign(cells=120).to_parquet(target / "deletion.parquet")
    gates = pd.read_parquet(target / "gates.parquet")
    found = gates[["id"]].assign(feature="sag", gate=0.7, probability=0.9, change=-0.4, becomes="Sst")
    found.to_parquet(target / "gate-ablation.parquet")


def _of_domains(target: Path, rng: np.random.Generator) -> None:
    embedding = pd.read_parquet(target / "embedding.parquet")
    embedding = embedding.assign(fold=rng.integers(0, 5, len(embedding)))
    stronger = embedding[embedding["space"] == "dann"].assign(space="lambda1")
    pd.concat([embedding, stronger]).to_parquet(target / "embedding.parquet")
    rows = [
        (measure, rng.random(), 0.5, space, fold, 24, reversal, 0.9)
        for measure in ("species told by a classifier", "class told by a classifier")
        for space, reversal in (("raw", np.nan), ("lambda0", 0.0), ("dann", 0.1), ("lambda1", 1.0))
        for fold in range(2)
    ]
    columns = ["measure", "value", "chance", "space", "fold", "cells", "reversal", "aligned"]
    pd.DataFrame(rows, columns=columns).to_parquet(target / "domains.parquet")
    cells = embedding.drop_duplicates("id")
    mouse, human = (cells.loc[cells["species"] == name, "id"].tolist() for name in ("mouse", "human"))
    twins = [
        (cell, rank + 1, human[(k + rank) % len(human)], 0.3, 1.0 - 0.2 * rank)
        for k, cell in enumerate(mouse)
        for rank in range(5)
    ]
    columns = ["id", "rank", "twin", "distance", "found_again"]
    pd.DataFrame(twins, columns=columns).to_parquet(target / "twins.parquet")
