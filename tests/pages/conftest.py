"""A made-up evaluation of two made-up models, of the shape that ships, and a runner of pages."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.cell_types import BROAD_ORDER, SUBCLASS_ORDER
from neuroclass.cohort.demo import load_demo
from neuroclass.config import PROJECT_DIR
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports import store

TIMEOUT_S = 300.0


def _metric(mean: float) -> dict[str, float]:
    return {"mean": mean, "sd": 0.01, "low": mean - 0.02, "high": mean + 0.02}


def write_evaluation(folder: Path, model: str, rng: np.random.Generator) -> None:
    """Write one made-up model's card and evaluation of 120 cells."""
    classes, species = (BROAD_ORDER, ("mouse", "human")) if model == "dann" else (SUBCLASS_ORDER, ("mouse",))
    target = folder / model / "evaluation"
    target.mkdir(parents=True)
    n = 120
    base = pd.DataFrame({"id": [f"{model}{k}" for k in range(n)], "species": rng.choice(species, n)})
    base["truth"] = rng.choice(classes, n)
    p = rng.dirichlet(np.ones(len(classes)), n)
    probabilities = pd.DataFrame(p, columns=[f"p_{c}" for c in classes])
    predictions = base.assign(fold=rng.integers(0, 5, n), repeat=0, predicted=np.array(classes)[p.argmax(1)])
    predictions.join(probabilities).to_parquet(target / "predictions.parquet")
    values = pd.DataFrame(rng.normal(size=(n, 41)), columns=FEATURE_NAMES)
    rest = {c: probabilities[f"p_{c}"] - 0.05 * values.sum(axis=1) for c in classes}
    shap = [base[["id", "species"]].assign(**{"class": c}, base_value=rest[c]).join(values * 0.05) for c in classes]
    pd.concat(shap).to_parquet(target / "shap.parquet")
    deciles = pd.DataFrame(rng.integers(0, 11, (n, 41)).astype(np.int8), columns=FEATURE_NAMES)
    base[["id"]].join(deciles).to_parquet(target / "deciles.parquet")
    gates = base.assign(predicted=predictions["predicted"]).join(values.clip(0, 1))
    gates.to_parquet(target / "gates.parquet")
    spaces = [base.assign(space=s, x=rng.normal(size=n), y=rng.normal(size=n)) for s in ("raw", "lambda0", "dann")]
    pd.concat(spaces).to_parquet(target / "embedding.parquet")
    metrics = {"accuracy": _metric(0.9), "macro_f1": _metric(0.8)}
    groups = dict.fromkeys(species, metrics)
    measured = [
        {"model": name, "protocol": "donor-cv", "n_cells": n, "metrics": metrics, "groups": groups}
        for name in (model, "svc")
    ]
    (target / "metrics.json").write_text(json.dumps(measured))
    published = [
        {"model": model, "protocol": "paper-split", "metrics": {"accuracy": 0.916}, "note": "selected on test cells"}
    ]
    (target / "published.json").write_text(json.dumps(published))
    (folder / model / "card.json").write_text(json.dumps({"model": model, "classes": list(classes)}))


@pytest.fixture
def made_up_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of made-up models, used instead of those that ship."""
    import streamlit as st

    rng = np.random.default_rng(0)
    for model in ("dann", "lspin"):
        write_evaluation(tmp_path / "models", model, rng)
    monkeypatch.setattr(store, "MODELS_DIR", tmp_path / "models")
    st.cache_resource.clear()
    st.cache_data.clear()
    return tmp_path / "models"


@pytest.fixture
def open_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Run a page on the demo cohort, with query parameters, until it stands."""
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))

    def run(name: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT_DIR / "pages" / f"{name}.py"), default_timeout=TIMEOUT_S)
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return run


@pytest.fixture(scope="session")
def demo_id() -> str:
    """Id of a demo cell."""
    return str(load_demo().frame["id"].iloc[0])


@pytest.fixture
def shipped_models() -> None:
    """The models that ship; skips where they are not built yet."""
    if not (PROJECT_DIR / "models" / "lspin" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")
