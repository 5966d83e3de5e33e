"""Search, reopen and delete classified cells, and compare model versions on them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts.theme import download_config
from neuroclass.charts.verdict import strips
from neuroclass.classification import summary
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import from_json
from neuroclass.classification.result import Prediction
from neuroclass.config import SHIPPED_DIR
from neuroclass.errors import HistoryError, title_of
from neuroclass.features import signed
from neuroclass.io.history import DONE, Entry, History, hidden_owner
from neuroclass.io.history_links import linked
from neuroclass.io.history_usage import usage
from neuroclass.library.library import ModelLibrary
from neuroclass.types.visitors import Right, Visitor
from neuroclass.ui import little_trace, model_choice, widgets
from neuroclass.ui.address import page_of
from neuroclass.ui.classify import examples, metadata_form, received, sheets, uploads
from neuroclass.ui.guards import guarded
from neuroclass.ui.history import links, store
from neuroclass.ui.history.browser_identity import browser_id
from neuroclass.ui.identity import is_logged_in, visitor
from neuroclass.ui.selection import chosen_ids, table_key
from neuroclass.ui.text import escaped

CLASSIFY = SHIPPED_DIR / "pages" / "classify.py"
ENTRY = "entry"
CURRENT = "current"
MOST_REFUSALS = 5


def reopen(fresh: bool) -> None:
    """Reopen the entry that the URL links to, or what this session last had on the page.

    Parameters
    ----------
    fresh : bool
        Whether the page was just opened, so that its upload field is empty.

    Raises
    ------
    HistoryError
        If the link leads to no entry of this browser.
    """
    wanted = st.query_params.get(ENTRY)
    if wanted and wanted != st.session_state.get("own_entry"):
        entry = store.history().get(visitor(), wanted)
        if entry is None:
            st.query_params.pop(ENTRY, None)
            raise HistoryError(
                "The link leads to a cell that this browser or login has not classified, or that was deleted. Upload "
                "the file, or open the link where it was made."
            )
        cell_input = received.from_entry(entry)
        metadata = from_json(entry.context)
        uploads.correct(cell_input, metadata.assignments)
        uploads.leave_out(cell_input, metadata.without_sweeps)
        sheets.restore(cell_input, metadata.sheet)
        metadata_form.restore(metadata)
        st.session_state["own_entry"] = wanted
        st.session_state["reopened"] = [cell_input]
    elif fresh:
        st.session_state["reopened"] = list(st.session_state.get("shown", ()))


def reopened() -> list[CellInput]:
    """Uploads reopened from the history."""
    return list(st.session_state.get("reopened", ()))


def with_reopened(uploaded: list[CellInput]) -> list[CellInput]:
    """Join new uploads with the reopened ones, without duplicates; a button closes the latter."""
    again = [one for one in reopened() if one.digest not in {other.digest for other in uploaded}]
    if again:
        with st.container(horizontal=True, vertical_alignment="center"):
            names = ", ".join(one.name for one in again[:3]) + (" …" if len(again) > 3 else "")
            st.caption(f"From the history: {escaped(names, 200)}")
            if st.button("Close", icon=":material/close:", type="tertiary", key="close-earlier"):
                st.session_state["reopened"] = []
                st.session_state["shown"] = []
                st.query_params.pop(ENTRY, None)
                st.rerun()
    st.session_state["shown"] = [*again, *uploaded]
    return [*again, *uploaded]


def page() -> None:
    """Draw the History page."""
    st.caption(escaped(store.retention_notice(is_logged_in()), 900), help=escaped(store.location()))
    history, me = store.history(), visitor()
    _take_over(history, me)
    everyone = me.may(Right.SEE_OTHERS) and not history.shared and st.toggle("Everyone's cells", key="everyone")
    entries = history.find(me, "", everyone or None)
    if not entries:
        _nothing_yet()
        return
    text = st.text_input("Find", key="q", bind="query-params", placeholder="file, cell or label").strip()
    entries = history.find(me, text, everyone or None) if text else entries
    if not entries:
        st.info(f"No entry has {escaped(text, 80)} in its files, cells or labels.", icon=":material/search_off:")
        return
    pending = [entry for entry in entries if entry.state != DONE]
    if pending:
        st.warning(
            f"{len(pending)} {'upload was' if len(pending) == 1 else 'uploads were'} not answered, as the page was "
            "closed or the server stopped. Open one to classify it.",
            icon=":material/pending:",
        )
    table, ids = _table(entries, linked(history, me)), [entry.id for entry in entries]
    event = st.dataframe(
        _without_what_says_nothing(table),
        hide_index=True,
        key=table_key("history", ids),
        on_select="rerun",
        selection_mode="multi-row",
        height=widgets.table_height(len(table), 12),
        column_config={
            "Last opened": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", help="By the server's clock."),
            "Answer": st.column_config.TextColumn(help="The class, or the classes that remain."),
            "Probability": st.column_config.TextColumn(help="Of the likeliest subclass, and of the broad class."),
            "Caution": st.column_config.TextColumn(
                help="What makes a recording so doubtful that it has to be known, or that it is unusual or simulated."
            ),
            "Models": st.column_config.TextColumn(
                help="Whether the models in use, or earlier ones, answered. Select the row to compare them."
            ),
            "Size (kB)": st.column_config.NumberColumn(format="localized", width="small"),
        },
    )
    ticked = chosen_ids(event, ids)
    chosen = [entry for entry in entries if entry.id in ticked]
    with st.container(horizontal=True, key="history-actions"):
        if st.button("Open", icon=":material/open_in_new:", disabled=len(chosen) != 1):
            st.switch_page(page_of(CLASSIFY), query_params={ENTRY: chosen[0].id})
        st.button(
            f"Delete {len(chosen)} selected" if chosen else "Delete selected",
            icon=":material/delete:",
            disabled=not chosen,
            on_click=_delete,
            args=(ticked,),
        )
        widgets.csv_button("history", table)
        _delete_everything()
    if len(chosen) == 1:
        _card(chosen[0])
        _versions(chosen[0])
    else:
        if not chosen:
            st.markdown("**Opened last**")
            _card(next((one for one in entries if summary.told(one.summary).probability), entries[0]))
        st.caption(
            "Select one row to open it, to share a read-only link to it, or to compare versions of the models on it."
        )


def _nothing_yet() -> None:
    """The page before anything was classified: what comes here, and where to begin."""
    where = "under this login" if is_logged_in() else "in this browser"
    st.info(
        f"Nothing has been classified {where} yet. Every cell that you classify is listed here with its answer, "
        "examples included: open it again, compare versions of the models on it, or delete it.",
        icon=":material/info:",
    )
    if st.button("Classify a recording", type="primary", icon=":material/upload_file:", key="history-classify"):
        st.switch_page(page_of(CLASSIFY))
    st.markdown("**Or try an example**")
    examples.offered(here=False)


def _take_over(history: History, me: Visitor) -> None:
    """Offer whoever logged in the entries that this browser made before."""
    if not is_logged_in():
        return
    count = sum(one.entries for one in usage(history, hidden_owner(browser_id())))
    if not count:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(
            f"This browser has {count} {'entry' if count == 1 else 'entries'} from before you logged in. Taken over, "
            "they are yours alone; leave them if someone else used this browser.",
            icon=":material/move_to_inbox:",
        )
        if st.button(f"Take over {count}", key="take-over"):
            history.hand_over(browser_id(), me)
            st.toast("They are yours.")
            st.rerun()


def _card(entry: Entry) -> None:
    """An entry's answer in full, which a table's columns may cut off."""
    told = summary.told(entry.summary)
    with st.container(border=True):
        st.markdown(f"**{escaped(entry.cell or entry.name, 120)}**: {escaped(told.answer or entry.state, 900)}")
        payloads = next(reversed(store.history().answers(visitor(), entry.id).values()), [])
        for payload in payloads[:MOST_REFUSALS]:
            if "error" in payload:
                st.caption(escaped(str(payload["error"].get("message", "")), 600))
        trace = payloads[0].get(uploads.TRACE) if payloads else None
        left, right = st.columns([1, 2], vertical_alignment="center") if trace else (st.container(), st.container())
        if trace:
            with left:
                st.image(
                    little_trace.of_kept(trace), width="stretch", alt="Its response to a long square",
                    caption=f"Sweep {trace['sweep']}, {signed(trace['amplitude_pa'], 0)} pA",
                )  # fmt: skip
        if len(payloads) == 1 and (predictions := _predictions(payloads[0])):
            right.plotly_chart(
                strips(predictions, named=True),
                key=f"strips-{entry.id}",
                config={**download_config("probabilities"), "displayModeBar": False},
                alt="Calibrated probabilities of the broad class and of the subclass; outlined: outside the set",
            )
        if told.probability:
            species = summary.UNKNOWN if told.species == summary.NOT_GIVEN else told.species
            st.caption(f"Probability {escaped(told.probability)}{f'; {species}' if species else ''}")
        if told.caution:
            st.warning(escaped(told.caution, 600), icon=":material/error:")


def _predictions(payload: Mapping[str, Any]) -> dict[str, Prediction]:
    """Probabilities and sets of a stored verdict, by what they are of; empty where it has none."""
    found = {}
    for task, title in (("broad", "Broad class"), ("subclass", "Subclass")):
        if payload.get(task):
            members = tuple((payload.get("set") or {}).get(task, ()))
            found[title] = Prediction(task, payload[task], members)
    return found


def _delete(ids: list[str]) -> None:
    """Delete the entries that were ticked when the button was drawn, whatever has happened to the list since."""
    with guarded(stop=False):
        st.toast(f"{store.history().delete(visitor(), ids)} entries were deleted.")


def _delete_everything() -> None:
    with st.popover("Delete everything", icon=":material/delete_forever:"):
        whose = "of yours" if is_logged_in() else "of this browser"
        st.write(f"Deletes all uploads, answers and links {whose}. This cannot be undone.")
        if st.button("Delete all that is mine", type="primary"):
            count = uploads.forget_all()
            st.toast(f"{count} entries were deleted.")
            st.rerun()


def _table(entries: list[Entry], made: Mapping[str, float]) -> pd.DataFrame:
    told = [summary.told(entry.summary) for entry in entries]
    return pd.DataFrame(
        {
            "Last opened": [datetime.fromtimestamp(entry.opened) for entry in entries],
            "File": [entry.name for entry in entries],
            "Cell": [entry.cell for entry in entries],
            "State": [entry.state for entry in entries],
            "Species": [one.species for one in told],
            "Answer": [one.answer for one in told],
            "Probability": [one.probability for one in told],
            "Caution": [one.caution for one in told],
            "Models": [_answered_by(entry.models) for entry in entries],
            "Link since": [datetime.fromtimestamp(made[entry.id]) if entry.id in made else None for entry in entries],
            "Size (kB)": [round(sum(file.size for file in entry.files) / 1000) for entry in entries],
        }
    )


def _without_what_says_nothing(table: pd.DataFrame) -> pd.DataFrame:
    """The table without columns that are empty, or that say of every entry what is usual."""
    empty = [name for name in table if table[name].isin(["", None]).all() or table[name].isna().all()]
    answered = ["State"] if "State" not in empty and (table["State"] == DONE).all() else []
    return table.drop(columns=[*empty, *answered]).assign(Caution=table["Caution"].map(_in_a_word))


def _in_a_word(caution: str) -> str:
    """A caution's first words, for a column; the whole stands on the entry's card."""
    return ", ".join(one.removesuffix(" this answer").removesuffix(" on") for one in summary.marks(caution))


def _answered_by(versions: Sequence[str]) -> str:
    """Whether the models in use answered, or earlier ones; those chosen from the library by name."""
    current, said = model_choice.models().version, []
    for version in versions:
        name = readable(version)
        chosen = name if name != version else ""
        said.append(", ".join(filter(None, (chosen, CURRENT if version == current else "earlier"))))
    return " | ".join(dict.fromkeys(said))


def readable(version: str) -> str:
    """A version of the models with the names of those that were chosen from the library, where they are still there."""
    names = {entry.id: entry.name for entry in ModelLibrary().entries()}
    return " ".join(names.get(word, word) for word in version.split(" "))


def _versions(entry: Entry) -> None:
    """Compare the model versions' verdicts on an entry's cells."""
    answers = store.history().answers(visitor(), entry.id)
    links.manage(entry.id, entry.models[-1] if entry.models else "")
    st.subheader(f"Versions of the models on {escaped(entry.name, 120)}", anchor=False)
    if not answers:
        st.caption("Not classified yet. Open it to classify it.")
        return
    table = versions_table(answers)
    st.dataframe(table, hide_index=True)
    widgets.csv_button("versions", table)
    if model_choice.models().version not in answers:
        st.caption("The current models have not classified it yet. Open it to classify it, then compare.")
    elif len(answers) == 1:
        st.caption("Classified by one version so far. After retraining, open it again to compare.")


def versions_table(answers: dict[str, list[dict[str, Any]]]) -> pd.DataFrame:
    """One row per cell and model version: label and calibrated probability of both models.

    Parameters
    ----------
    answers : dict
        Verdicts by model version, as ``classify --json`` prints them.

    Returns
    -------
    DataFrame
    """
    rows = []
    for version, payloads in answers.items():
        for one in payloads:
            row: dict[str, Any] = {"cell": one.get("cell", ""), "models": readable(version)}
            if "error" in one:
                row["broad class"] = row["subclass"] = f"refused ({title_of(one['error']['type']).lower()})"
            for name, task in (("broad class", "broad"), ("subclass", "subclass")):
                if task in one:
                    best = max(one[task], key=one[task].get)
                    row[name] = "cannot say" if one["cannot_say"][task] else label_of(best)
                    row[f"{name}: probability"] = round(one[task][best], 4)
                    row[f"{name}: 90% set"] = " or ".join(map(label_of, one["set"][task]))
            rows.append(row)
    return pd.DataFrame(rows).sort_values("cell", kind="stable", ignore_index=True)
