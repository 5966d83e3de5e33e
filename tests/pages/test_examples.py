"""Examples on the Classify page: one address away, and put away for good."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest


def test_an_example_is_classified_and_put_away(open_page: Callable[..., AppTest]) -> None:
    app = open_page("classify", example="awkward")
    assert not app.exception
    assert any("awkward.nwb" in one.value.replace("\\", "") for one in app.caption)
    next(one for one in app.button if one.label == "Close example").click().run(timeout=60)
    assert not app.exception
    assert "example" not in app.query_params and "entry" not in app.query_params
    assert not any("awkward.nwb" in one.value.replace("\\", "") for one in app.caption)
