"""Progress of an extraction on a terminal."""

import sys
import time

from neuroclass.types.progress import Progress


class ProgressBar:
    """Progress on one line of a terminal, or one line every ten seconds elsewhere."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.first: int | None = None
        self.last = 0.0

    def __call__(self, progress: Progress) -> None:
        """Draw how far the work is; `extract_many` counts the rejected files in ``refused``."""
        done, total = progress.done, progress.total or 0
        now = time.monotonic()
        if self.first is None:
            self.first, self.started = done, now
        terminal = sys.stderr.isatty()
        if done < total and now - self.last < (0.2 if terminal else 10.0):
            return
        self.last = now
        speed = (done - self.first) / max(now - self.started, 1e-9)
        left = f", {(total - done) / speed:,.0f} s left" if speed > 0 and done < total else ""
        filled = round(30 * done / max(total, 1))
        refused = progress.values.get("refused", 0)
        text = f"[{'#' * filled}{'.' * (30 - filled)}] {done:,} of {total:,} files, {refused:,.0f} refused{left}"
        sys.stderr.write(f"\r{text}\x1b[K" if terminal else f"{text}\n")
        if terminal and done == total:
            sys.stderr.write("\n")
        sys.stderr.flush()
