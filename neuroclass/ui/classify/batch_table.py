"""The table of a batch: verdicts in their class' colour, doubtful ones first, and stepping from cell to cell."""

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd
import streamlit as st
from pandas.api.types import is_numeric_dtype

from neuroclass.cell_types import COLOURS, TASK_CLASSES, label_of
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.result import Answer, CellVerdict
from neuroclass.errors import RejectedInput
from neuroclass.ui import widgets
from neuroclass.ui.classify import uploads
from neuroclass.ui.classify.batch import (
    CAREFUL,
    CONTRADICTION,
    OUT,
    REFUSED,
    UNDECIDED,
    UNRELIABLE,
    Pair,
    attention,
    table_of,
)
from neuroclass.ui.selection import chosen_ids, table_key
from neuroclass.ui.text import escaped

SHOWN = 4
MOST_REASONS = 1000
SECONDS_A_CELL = 0.1
ADDRESS = "row"
_ROWS = 6
_MOST_COLOURED = 500
_IN_WORDS = (
    "attention",
    "file",
    "cell",
    "species",
    "broad class",
    "subclass",
    "subclass set",
    "broad set",
    "flags",
    "note",
)
"""Columns of text, also where all of it lacks."""
_TICKS, _KNOWN = "batch-ticks", "batch-known"
_COLOUR_OF = {label_of(name): COLOURS[name] for classes in TASK_CLASSES.values() for name in classes}


def choose(pairs: Sequence[Pair]) -> int:
    """Show the table of all cells and the buttons that step through it; returns the row to show below."""
    added = _added(pairs)
    if len(pairs) == 1:
        st.query_params.pop(ADDRESS, None)
        return 0
    table = table_of(pairs)
    ids = [_row_id(k, *pair) for k, pair in enumerate(pairs)]
    key = table_key(f"verdicts-{st.session_state.get(_TICKS, 0)}", ids)
    event = st.dataframe(
        _coloured(_for_people(table)),
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        height=38 + 35 * min(_ROWS, len(table)),
        column_config=_columns(),
    )
    ticked = next((ids.index(one) for one in chosen_ids(event, ids)), None)
    chosen = next(one for one in (ticked, added, _pointed(pairs)) if one is not None)
    _point(chosen)
    _steps(pairs, table, chosen)
    _refusals([one for k, (_, one) in enumerate(pairs) if isinstance(one, RejectedInput) and k != chosen])
    return chosen


def _pointed(pairs: Sequence[Pair]) -> int:
    """The row that the address names, else the first cell with a verdict."""
    wanted = str(st.query_params.get(ADDRESS, ""))
    if wanted.isdecimal() and 1 <= int(wanted) <= len(pairs):
        return int(wanted) - 1
    return next((k for k, (_, one) in enumerate(pairs) if isinstance(one, CellVerdict)), 0)


def _added(pairs: Sequence[Pair]) -> int | None:
    """The first row of a file that was added to those on the page; None where none was."""
    digests = [cell_input.digest if cell_input else "" for cell_input, _ in pairs]
    known: set[str] = st.session_state.get(_KNOWN, set())
    st.session_state[_KNOWN] = set(digests)
    new = [k for k, one in enumerate(digests) if one and one not in known]
    return new[0] if new and known & set(digests) - {""} else None


def _for_people(table: pd.DataFrame) -> pd.DataFrame:
    """The table as it is shown: nothing where nothing is known."""
    words = [name for name in table if name in _IN_WORDS or not is_numeric_dtype(table[name])]
    shown = table.assign(**{name: table[name].astype(object).where(table[name].notna(), "") for name in words})
    several = shown["subclass set"].astype(str).str.contains(" or ")
    shown = shown.assign(
        species=shown["species"].replace("unknown", "not given"),
        subclass=shown["subclass set"].where(several, shown["subclass"]),
    )
    named = [cell in ("", PurePath(file).stem) for file, cell in zip(shown["file"], shown["cell"], strict=True)]
    return shown.drop(columns=["subclass set", *(["cell"] if all(named) else [])])


def _point(row: int) -> None:
    if st.query_params.get(ADDRESS) != str(row + 1):
        st.query_params[ADDRESS] = str(row + 1)


def _step(row: int) -> None:
    """Show another row; ticks are taken away, as they would point elsewhere."""
    st.query_params[ADDRESS] = str(row + 1)
    st.session_state[_TICKS] = st.session_state.get(_TICKS, 0) + 1


def _steps(pairs: Sequence[Pair], table: pd.DataFrame, chosen: int) -> None:
    """Previous and next, what there is, and the downloads."""
    with st.container(horizontal=True, vertical_alignment="center", key="batch-steps"):
        for by, label, icon, shortcut in ((-1, "Previous", "chevron_left", "P"), (1, "Next", "chevron_right", "N")):
            st.button(
                label,
                key=f"batch-{label.lower()}",
                icon=f":material/{icon}:",
                shortcut=shortcut,
                on_click=_step,
                args=((chosen + by) % len(pairs),),
            )
        st.markdown(f"**{chosen + 1} of {len(pairs)}**", width="content")
        st.caption(_counts(pairs), width="stretch")
        widgets.csv_button("verdicts", table, label="All verdicts (CSV)")
        _json_button("All verdicts (JSON)", "verdicts", lambda: _json(pairs))
        _offer_reasons(pairs)


def _counts(pairs: Sequence[Pair]) -> str:
    counts = pd.Series([attention(one) for _, one in pairs]).value_counts()
    words = {
        REFUSED: "refused",
        CONTRADICTION: "with contradicting models",
        OUT: "out of distribution",
        UNRELIABLE: "not to be relied on",
        UNDECIDED: "undecided",
        CAREFUL: "to be read with caution",
    }
    parts = [f"{counts[name]} {text}" for name, text in words.items() if name in counts]
    return f"{', '.join(parts)}: these come first." if parts else "None needs attention."


def _coloured(table: pd.DataFrame) -> Any:
    """The table with every named class in its colour, grey where not to be relied on; plain where it is too long."""
    if len(table) > _MOST_COLOURED:
        return table

    doubtful = (table["attention"] == UNRELIABLE).tolist()

    def style(column: "pd.Series[Any]") -> list[str]:
        colours = [_COLOUR_OF.get(str(value).split(" or ")[0]) for value in column]
        return [
            f"background-color: {colour}55" if colour and not grey else "color: gray" if grey else ""
            for colour, grey in zip(colours, doubtful, strict=True)
        ]

    return table.style.apply(style, subset=["broad class", "subclass"])


def _columns() -> dict[str, Any]:
    return {
        "attention": st.column_config.TextColumn(
            "Attention",
            help="Refused, models that contradict each other, out of distribution, a recording not to be relied on or "
            "to be read with caution, or undecided: every class is in the set, or too little was measured.",
        ),
        **{name: st.column_config.TextColumn(name.capitalize()) for name in ("file", "cell", "species", "subclass")},
        "broad class": st.column_config.TextColumn("Broad class"),
        "broad probability": _share("Broad probability", "Calibrated probability of the likeliest broad class."),
        "broad set": _set("Broad set"),
        "subclass probability": _share("Subclass probability", "Calibrated probability of the likeliest subclass."),
        "subclass set": _set("Subclass set"),
        "expected accuracy": _share("Expected accuracy", "Of the finer task that is answered; see the verdict."),
        "like the database": _share("Like the database", "Probability that the recording is like the database's."),
        "typicality (%)": st.column_config.NumberColumn(
            "Typicality (%)", help="Share of held-out cells at least as unusual on the features present."
        ),
    }


def _row_id(row: int, cell_input: CellInput | None, one: Answer) -> str:
    """Which cell of which input is in a row, the row itself for those of the same name."""
    return f"{row} {cell_input.digest if cell_input else ''} {one.source} {one.cell}"


def _offer_reasons(pairs: Sequence[Pair]) -> None:
    """Verdicts with the reasons that were not computed, on request."""
    n_without = sum(isinstance(one, CellVerdict) and not uploads.has_reasons(one) for _, one in pairs)
    if not n_without:
        return
    if n_without > MOST_REASONS:
        st.caption(
            f"The reasons of a cell are computed when it is shown; those of {n_without:,} cells at once take too long "
            "here. The command line writes those of a whole table; see Export."
        )
        return
    _json_button(
        "With reasons (JSON)",
        "verdicts-with-reasons",
        lambda: _json([(cell_input, _explained(one)) for cell_input, one in pairs]),
        help=f"Reasons of {n_without} cells are computed at the click, in about {n_without * SECONDS_A_CELL:.0f} s.",
    )


def _json_button(label: str, name: str, content: Callable[[], str], help: str | None = None) -> None:
    st.download_button(
        label,
        content,
        file_name=f"neuroclass-{name}.json",
        mime="application/json",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help=help,
    )


def _explained(one: Answer) -> Answer:
    from neuroclass.classification.classify import reasons_for

    return reasons_for(one, uploads.loaded_models()) if isinstance(one, CellVerdict) else one


def _refusals(refused: Sequence[RejectedInput]) -> None:
    """Why files were refused: the first few in full, the others in the table."""
    if not refused:
        return
    places = [f"{one.source}, cell {one.cell}" if one.cell else one.source for one in refused[:SHOWN]]
    lines = [f"- **{escaped(p)}**: {escaped(one.error.plain, 400)}" for p, one in zip(places, refused, strict=False)]
    rest = f"\n- and {len(refused) - SHOWN} more, in the table" if len(refused) > SHOWN else ""
    st.error("\n".join(lines) + rest, icon=":material/warning:")
    if any(getattr(one.error, "proposals", ()) for one in refused):
        st.caption("Tick the row of a refused file to see the reading that is proposed for it.")


def _share(title: str, text: str) -> Any:
    return st.column_config.ProgressColumn(title, min_value=0.0, max_value=1.0, format="percent", help=text)


def _set(title: str) -> Any:
    return st.column_config.TextColumn(title, help="Such sets hold the true class in 90% of held-out cells.")


def _json(pairs: Sequence[Pair]) -> str:
    import json

    return json.dumps([one.to_json() for _, one in pairs], indent=1)
