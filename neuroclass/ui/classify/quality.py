"""The quality of a recording: one line, and on demand every finding and what it changes in the verdict."""

import textwrap
from collections.abc import Mapping

import streamlit as st

from neuroclass.classification import wording
from neuroclass.classification.quality_effect import Effect, effects, remedies
from neuroclass.classification.quality_line import Finding, findings, is_serious, quality_line
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped

_KEPT = "quality-effects"
_MOST_KEPT = 50
_LINE = 80
"""Letters of a note on one line at 1024 px."""


def show(case: Case) -> None:
    """The line; the rest is drawn when it is opened."""
    verdict, found = case.verdict, _found(case)
    notes = [text for text in verdict.warnings if not wording.is_contradiction(text)]
    if not found and not notes:
        if case.recording is not None:
            st.caption(":material/verified: Quality: no finding")
        return
    line = "; ".join(filter(None, (quality_line(found) if found else "", _notes(notes, bool(found)))))
    icon = ":material/error:" if is_serious(found) else ":material/warning:" if found else ":material/info:"
    with st.container(key="verdict-quality"):
        opened = st.expander(f"Quality: {escaped(line, 400)}", icon=icon, key="quality", on_change="rerun")
    if opened.open:
        with opened:
            _details(case, notes)


def _notes(notes: list[str], beside: bool) -> str:
    """The first note as far as one line holds it, and how many more there are; beside findings their number alone."""
    if beside or not notes:
        return f"{len(notes)} note{'s' if len(notes) > 1 else ''}" if notes else ""
    first = textwrap.shorten(notes[0], _LINE, placeholder=" …")
    return f"{first} (and {len(notes) - 1} more)" if len(notes) > 1 else first


@st.fragment
def _details(case: Case, notes: list[str]) -> None:
    found, measured = _found(case), _effects_of(case)
    lines = []
    for one in found:
        messages = [str(flag.get("message") or one.text) for flag in one.flags]
        rest = f" And {len(messages) - 3} more." if len(messages) > 3 else ""
        effect = f" **{escaped(measured[one.name].text)}**" if one.name in measured else ""
        lines.append(f"- **{escaped(one.text)}.** {escaped(' '.join(messages[:3]), 900)}{rest}{effect}")
    st.markdown("\n".join([*lines, *(f"- {escaped(text, 600)}" for text in notes)]))
    if case.analysis is None or not found or measured:
        return
    wanted = remedies(found, case.analysis.recording)
    if not wanted:
        st.caption("None of these can be undone on the sweeps, so that what it changes in the verdict is not known.")
        return
    if st.button(
        "Rank by what each changes in the verdict",
        key=f"quality-effects-{case.key}",
        icon=":material/sort:",
        help="The flagged sweeps are left out, or the bridge is balanced; all features are then measured and the cell "
        "classified again. Up to a minute where features are lost, as models are then fitted to those left.",
    ):
        with st.spinner("Measuring the recording without each finding"):
            _keep(case, effects(found, case.analysis.recording, case.verdict, case.models, case.metadata))
        st.rerun(scope="fragment")


def _found(case: Case) -> list[Finding]:
    return findings(case.verdict, {name: one.moved for name, one in _effects_of(case).items()})


def _effects_of(case: Case) -> Mapping[str, Effect]:
    kept: dict[str, dict[str, Effect]] = st.session_state.get(_KEPT, {})
    return kept.get(case.fingerprint, {})


def _keep(case: Case, found: Mapping[str, Effect]) -> None:
    kept: dict[str, dict[str, Effect]] = st.session_state.setdefault(_KEPT, {})
    while len(kept) >= _MOST_KEPT:
        kept.pop(next(iter(kept)))
    kept[case.fingerprint] = dict(found)
