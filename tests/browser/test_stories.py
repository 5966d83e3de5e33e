"""What users do, from the first visit to a verdict, a link, a laboratory's batch and a spike, ends where it should."""

from typing import Any

import pytest

from docs.scripts.stories import STORIES, on_stage
from neuroclass.config import PROJECT_DIR

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_played_to_its_end(server: str, browser: Any, story: str) -> None:
    if not (PROJECT_DIR / "models" / "lspin" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")
    with on_stage(browser, server, 1440, "light") as stage:
        for name, do in STORIES[story]:
            do(stage)
            assert stage.shown.locator("[data-testid=stException]").count() == 0, name
