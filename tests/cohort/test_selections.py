"""Selections survive the way through an address."""

import numpy as np
import pytest

from neuroclass.cohort.selections import clean_name, decode, decode_named, encode, encode_named
from neuroclass.errors import SettingsError

IDS = [str(k) for k in range(1723)]


def test_what_is_written_is_read_and_short() -> None:
    chosen = np.random.default_rng(0).choice(IDS, 300, replace=False).tolist()
    text = encode(chosen, IDS)
    assert decode(text, IDS[::-1]) == sorted(chosen)
    assert len(text) < 320
    assert text.replace("-", "").replace("_", "").isalnum()


def test_an_empty_selection_is_an_empty_text() -> None:
    assert encode(["not here"], IDS) == ""
    assert decode("", IDS) == []


@pytest.mark.parametrize("damage", [lambda t: t[:-6], lambda t: t[:10] + "!" + t[11:], lambda t: t[:4] + "AAAA"])
def test_a_damaged_selection_is_refused(damage: object) -> None:
    text = encode(IDS[::3], IDS)
    with pytest.raises(SettingsError, match="damaged"):
        decode(damage(text), IDS)  # type: ignore[operator]


def test_a_selection_among_other_cells_is_refused() -> None:
    with pytest.raises(SettingsError, match="other cells"):
        decode(encode(IDS[:5], IDS), IDS[:-1])


def test_named_selections_keep_their_order_and_names() -> None:
    named = {"fast~spiking ": ["1", "2"], "deep": ["3"], "none": []}
    assert decode_named(encode_named(named, IDS), IDS) == {"fast-spiking": ["1", "2"], "deep": ["3"]}
    assert clean_name("  ") == "unnamed"
    with pytest.raises(SettingsError):
        decode_named("a~b~c", IDS)
