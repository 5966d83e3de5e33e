"""Which dandiset, which of its files, and which sweeps they hold; the archive is asked on request only."""

import html
from collections import OrderedDict
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from neuroclass.errors import SettingsError
from neuroclass.extraction.archive_jobs import MOST_RECORDINGS
from neuroclass.io.dandi import Asset, Choice, Dandiset, list_assets, open_dandiset
from neuroclass.io.dandi_fetch import look
from neuroclass.ui import widgets
from neuroclass.ui.archive import batch
from neuroclass.ui.guards import guarded
from neuroclass.ui.selection import chosen_ids, table_key
from neuroclass.ui.text import escaped

MB = 1_000_000
MOST_LISTED = 20_000
MOST_LOOKED_AT = 3
_KEPT = 20
Listing = tuple[Dandiset, list[Asset]]


@st.cache_resource(show_spinner=False)
def _listings() -> "OrderedDict[tuple[str, str], Listing]":
    """Listings that were asked for lately, so that a reload asks for none again."""
    return OrderedDict()


def ask() -> Listing | None:
    """The form; the listing of the dandiset that it names, once the archive was asked."""
    with st.form("dandiset", border=True):
        number, version, button = st.columns([2, 2, 1], vertical_alignment="bottom")
        wanted = number.text_input(
            "Dandiset number", st.query_params.get("dandiset", ""), placeholder="000020", max_chars=20,
            help="Six digits, as in the data set's address at dandiarchive.org.",
        )  # fmt: skip
        which = version.text_input(
            "Version (optional)", st.query_params.get("version", ""), placeholder="latest published", max_chars=40,
            help="A published version, such as 0.210913.1639, or draft, which may change.",
        )  # fmt: skip
        asked = button.form_submit_button(
            "List files", icon=":material/cloud_download:", type="primary", width="stretch"
        )
    key = (wanted.strip(), which.strip())
    if asked:
        with guarded(), st.spinner("Asking the archive"):
            _keep(key)
        st.query_params["dandiset"] = key[0]
        if key[1]:
            st.query_params["version"] = key[1]
        else:
            st.query_params.pop("version", None)
    return _listings().get(key)


def about() -> None:
    """What the archive is, and what to type and press, before anything is listed."""
    st.info(
        "The [DANDI Archive](https://dandiarchive.org) publishes neurophysiology recordings as NWB files. Each data "
        "set, called a *dandiset*, has a six-digit number.",
        icon=":material/public:",
    )
    st.markdown(
        "1. **Type a dandiset's number** and press *List files*: for example 000020, Patch-seq recordings from mouse "
        "visual cortex. No recording is downloaded yet.\n"
        "2. **Select recordings** in the list. *Show sweeps* reads from a file's metadata which sweeps it holds.\n"
        "3. **Classify** them: of each file the current-clamp sweeps are downloaded, all of it only where that is "
        "hardly more, and each cell gets its verdict, which cites the dandiset."
    )
    st.caption("The archive is contacted only when you press a button, and none of your files is sent to it.")


def _keep(key: tuple[str, str]) -> None:
    if not key[0]:
        raise SettingsError("No dandiset is named; expected six digits, such as 000020.")
    dandiset = open_dandiset(*key)
    listings = _listings()
    listings[key] = (dandiset, list_assets(dandiset, limit=MOST_LISTED))
    while len(listings) > _KEPT:
        listings.popitem(last=False)


def show(dandiset: Dandiset, assets: Sequence[Asset]) -> None:
    """The files of a dandiset: choose some, look at their sweeps, classify them."""
    st.subheader(escaped(dandiset.name or f"Dandiset {dandiset.id}"), anchor=False)
    st.caption(f"Version {escaped(dandiset.version)}. {escaped(dandiset.citation, 1000)}")
    found = _filtered(assets)
    ids = [asset.id for asset in found]
    event = st.dataframe(
        pd.DataFrame(
            {
                "subject": [asset.subject for asset in found],
                "species": [asset.species for asset in found],
                "age": [asset.age for asset in found],
                "size (MB)": [asset.size / MB for asset in found],
                "path": [asset.path for asset in found],
                "readable": ["no, Zarr" if asset.kind == "zarr" else "yes" for asset in found],
            }
        ),
        hide_index=True,
        key=table_key("assets", ids),
        on_select="rerun",
        selection_mode="multi-row",
        height=min(420, 38 + 35 * max(1, len(found))),
        column_config={
            "size (MB)": st.column_config.NumberColumn(format="%.1f", width="small"),
            "path": st.column_config.TextColumn(width="large"),
            "subject": st.column_config.TextColumn(width="small"),
            "age": st.column_config.TextColumn(width="small", help="ISO 8601: P60D is 60 days, P45Y 45 years."),
            "readable": st.column_config.TextColumn(
                width="small", help="NWB files stored as HDF5 can be read here, those stored as Zarr cannot."
            ),
        },
    )
    by_id = {asset.id: asset for asset in found}
    ticked = [by_id[one] for one in chosen_ids(event, ids)]
    readable = [asset for asset in ticked if asset.kind != "zarr"]
    more = f" The first {MOST_LISTED:,} are listed." if len(assets) == MOST_LISTED else ""
    size = sum(asset.size for asset in found) / MB
    st.caption(f"{len(found):,} of {len(assets):,} files, {size:,.0f} MB.{more} Select those to look at or classify.")
    _deeds(dandiset, ticked, readable)


def _filtered(assets: Sequence[Asset]) -> list[Asset]:
    subject, pattern, size = st.columns(3)
    names = sorted({asset.subject for asset in assets if asset.subject})
    subjects = subject.multiselect("Subjects", names, placeholder="all")
    glob = pattern.text_input("Path matches", "", placeholder="sub-*/*icephys.nwb", max_chars=200)
    largest = size.number_input("Largest file (MB)", min_value=0.1, value=None, placeholder="any")
    choice = Choice(tuple(subjects), glob.strip(), largest=None if largest is None else round(largest * MB))
    return [asset for asset in assets if choice.takes(asset)]


def _deeds(dandiset: Dandiset, ticked: Sequence[Asset], readable: Sequence[Asset]) -> None:
    size = sum(asset.size for asset in readable) / MB
    with st.container(horizontal=True):
        classify = st.button(
            f"Classify {len(readable):,} ({size:,.0f} MB at most)" if readable else "Classify",
            icon=":material/play_arrow:",
            type="primary",
            disabled=not readable,
            help="Downloads the current-clamp sweeps of each selected recording, or the whole file where that is "
            "hardly more.",
        )
        looked = st.button(
            "Show sweeps",
            icon=":material/table_rows:",
            disabled=not ticked or len(ticked) > MOST_LOOKED_AT,
            help=f"Of at most {MOST_LOOKED_AT} selected recordings; only their metadata are downloaded.",
        )
    if classify:
        with guarded():
            if len(readable) > MOST_RECORDINGS:
                raise SettingsError(
                    f"{len(readable):,} recordings are selected; at most {MOST_RECORDINGS:,} are classified at once. "
                    "Select fewer, or use the command line: neuroclass fetch --dandi … --classify FILE."
                )
            batch.start(dandiset, readable)
    if looked:
        for asset in ticked:
            with guarded(stop=False), st.spinner(f"Reading the metadata of {html.escape(asset.path)}"):
                _sweeps(dandiset, asset)


def _sweeps(dandiset: Dandiset, asset: Asset) -> None:
    table = look(dandiset, asset)
    frame = pd.DataFrame([dict(sweep) for sweep in table.sweeps])
    st.markdown(f"**{escaped(asset.path)}**")
    if frame.empty:
        st.caption("It holds no intracellular sweep.")
        return
    frame = frame.rename(columns={"rate_hz": "rate (Hz)", "duration_s": "duration (s)", "n_samples": "samples"})
    order = ["number", "clamp", "stimulus", "duration (s)", "rate (Hz)", "samples", "electrode", "series"]
    st.dataframe(frame[order], hide_index=True, height=min(420, 38 + 35 * len(frame)))
    subject = ", ".join(f"{key} {value}" for key, value in table.subject.items())
    st.caption(
        f"{len(frame)} sweeps. {escaped(subject)}. {table.transferred / MB:.2f} of {asset.size / MB:.1f} MB were "
        f"downloaded so far; the current-clamp sweeps take {table.needed / MB:.1f} MB."
    )
    widgets.csv_button(f"sweeps-{asset.id}", frame, label="Sweeps (CSV)")
