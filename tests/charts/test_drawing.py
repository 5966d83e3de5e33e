"""Matplotlib's settings belong to one drawing at a time."""

import threading
import time

import matplotlib

from neuroclass.charts.drawing import styled


def test_drawings_at_once_keep_their_own_settings_and_leave_none():
    before = matplotlib.rcParams["font.size"]
    found: list[tuple[float, float]] = []

    def draw(size: float) -> None:
        with styled({"font.size": size}):
            time.sleep(0.02)
            found.append((size, matplotlib.rcParams["font.size"]))
            time.sleep(0.01 * size)

    threads = [threading.Thread(target=draw, args=(float(k + 1),)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all(asked == seen for asked, seen in found)
    assert matplotlib.rcParams["font.size"] == before
