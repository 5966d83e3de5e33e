"""Classify: whether the answer depends on a junction potential that is not stated is said where that matters."""

import pytest

from neuroclass.cohort.demo import load_demo
from neuroclass.features import FEATURE_NAMES
from neuroclass.ui.classify.first_screen import IF_CORRECTED
from tests.pages.test_classify import opened, upload  # noqa: F401
from tests.pages.test_left_out import plain

pytestmark = pytest.mark.usefixtures("shipped_models")


def test_a_junction_potential_that_is_not_stated_is_weighed(opened, monkeypatch):  # noqa: F811
    frame = load_demo().frame
    row = frame[frame["subclass"] == "Glutamatergic"].head(1)[["species", *FEATURE_NAMES]]
    app = upload(opened("classify", section="How sure"), ("cell.csv", row.to_csv(index=False).encode()))
    assert "**Junction potential**, which is not stated." in plain(app.markdown)

    def warned() -> list[str]:
        return [one.value for one in app.markdown if IF_CORRECTED in one.value]

    for depends in (True, False):
        monkeypatch.setattr("neuroclass.classification.wording.depends_on_junction", lambda *_, is_so=depends: is_so)
        app.run()
        assert bool(warned()) == depends
    monkeypatch.setattr("neuroclass.classification.wording.depends_on_junction", lambda *_: True)
    app.selectbox(key="junction_corrected").select_index(1).run()
    assert not app.exception
    assert "which is not stated" not in plain(app.markdown) and not warned()
