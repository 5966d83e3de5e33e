"""Matplotlib's style for one drawing at a time: its settings belong to the process, its visitors are several."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_ONE = threading.RLock()


@contextmanager
def styled(style: Mapping[str, Any]) -> Iterator[None]:
    """Draw with these settings while no other thread draws with its own."""
    import matplotlib

    with _ONE, matplotlib.rc_context(dict(style)):
        yield
