"""Adapt to my lab, on a page: a shifted batch is compared and adapted; where it cannot be, the page says why."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.evaluation.laboratories import Laboratory
from neuroclass.features import FEATURE_NAMES
from neuroclass.reference.shapes import load_shapes
from neuroclass.ui.classify import adapt
from tests.pages.conftest import TIMEOUT_S


def _verdicts(n_cells: int, share: tuple[float, ...] = (0.3, 0.2, 0.2, 0.1, 0.2)) -> list[CellVerdict]:
    """Cells drawn from the shapes that ship, as another laboratory would measure them."""
    reference = load_shapes("mouse")
    z, _ = reference.shapes.sample(np.array(share), n_cells, np.random.default_rng(0))
    x = Laboratory("elsewhere", offset_mv=-10).measure(reference.preprocessor.stored_units(np.clip(z, -4, 4)))
    empty = Prediction("dann", {}), Prediction("lspin", {})
    return [
        CellVerdict("lab.csv", f"c{k}", "mouse", *empty, dict(zip(FEATURE_NAMES, row.tolist(), strict=True)), {})
        for k, row in enumerate(x)
    ]


def _page() -> None:
    import streamlit as st

    from neuroclass.ui.classify import adapt as section

    section.show(st.session_state["verdicts"])


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shipped_models: None) -> Callable[..., AppTest]:
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path))

    def run(n_cells: int, **share: tuple[float, ...]) -> AppTest:
        app = AppTest.from_function(_page, default_timeout=TIMEOUT_S)
        app.session_state["verdicts"] = _verdicts(n_cells, **share)
        return app.run()

    return run


def test_too_few_cells_are_told_so_and_one_cell_nothing(page: Callable[..., AppTest]) -> None:
    app = page(14)
    assert "these are 14" in app.caption[0].value
    assert not app.button
    assert not page(1).caption


def test_a_shifted_batch_is_compared_and_adapted(page: Callable[..., AppTest]) -> None:
    app = page(40)
    app.file_uploader(key="lab-labels").upload("labels.csv", b"cell,label\nc0,Pvalb\nc1,Sst\n", "text/csv")
    app.button(key="lab-start").click().run()
    assert not app.exception and not app.error
    assert "offset of all potentials" in app.info[0].value and "Estimated composition" in app.info[0].value
    assert any("keep their class when the laboratory is learned" in caption.value for caption in app.caption)
    known = [metric for metric in app.metric if metric.label == "Accuracy on known cells"]
    assert len(known) == 2 and "2 cells" in known[0].delta
    assert any("NEUROCLASS" in c.value or "real tables" in c.value for c in app.caption)


def test_a_batch_of_one_class_is_not_adapted(page: Callable[..., AppTest]) -> None:
    app = page(20, share=(0.0, 1.0, 0.0, 0.0, 0.0))
    app.button(key="lab-start").click().run()
    assert not app.exception and not app.error and not app.info
    assert "Not adapted" in app.warning[0].value and "because" in app.warning[0].value
    assert all(metric.value == "0 of 20" for metric in app.metric if metric.label == "Labels changed")


def test_a_file_without_the_two_columns_is_refused(page: Callable[..., AppTest]) -> None:
    app = page(25)
    app.file_uploader(key="lab-labels").upload("labels.csv", b"a,b\n1,2\n", "text/csv")
    app.run()
    assert not app.exception
    assert "columns cell and label" in app.error[0].value


def test_the_batchs_key_depends_on_its_values() -> None:
    first, second = _verdicts(20), _verdicts(21)
    assert adapt._key(first) == adapt._key(_verdicts(20))
    assert adapt._key(first) != adapt._key(second[:20])
