"""What a run gave, in words."""

from collections.abc import Mapping
from typing import Any


def summary(answer: Mapping[str, Any]) -> str:
    """What a run gave, in a line or two."""
    if "outer" in answer:
        from neuroclass.commands.search_run import summary as found

        return found(answer)
    cells = answer["training_cells"]
    text = f"{answer['model']} trained on {cells['n_cells']} cells of {cells['source']}; written to {answer['folder']}"
    held = answer.get("validation")
    if held:
        text += (
            f"\non {held['n_cells']} cells of {held['n_donors']} donors that did not train: accuracy "
            f"{held['accuracy']:.3f}, macro F1 {held['macro_f1']:.3f} (fractions)"
        )
        if held["chosen_by"]:
            text += "; the epoch was chosen on these cells, so a little optimistic"
    return text
