"""Twenty sessions that classify at once: time from drop to verdict, errors, and the server's memory.

Half of them drop a recording, a quarter a table of 2,000 rows, a quarter a hostile file, each a file of its own, so
that no answer comes from a cache. The server is started for the purpose, and its memory is read before, at its
highest, and after the sessions have gone. Some sessions alone are timed first, as the reference.

    python -m benchmarks.load RECORDING [--sessions 20] [--rows 2000]
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from benchmarks.sessions import AFTER_S, Highest, Outcome, Upload, memory, serve, visit
from benchmarks.uploads import HOSTILE, RECORDING, TABLE, mixed, recording

ALONE = 4


def crowd(base: str, uploads: Sequence[Upload]) -> list[Outcome]:
    """All sessions drop their file at the same moment."""
    start = threading.Barrier(len(uploads))
    outcomes = [Outcome()] * len(uploads)

    def work(k: int) -> None:
        outcomes[k] = visit(base, uploads[k], start)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(uploads))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def summary(kind: str, outcomes: Sequence[Outcome], alone_s: float) -> str:
    """Times of the sessions of a kind."""
    answers = np.array([one.answer_s for one in outcomes if one.kind == kind])
    whole = np.array([one.whole_s for one in outcomes if one.kind == kind])
    if not len(answers):
        return f"{kind}: none"
    return (
        f"{len(answers)} with a {kind}: answer after {np.nanmedian(answers):.1f} s (median), "
        f"{np.nanpercentile(answers, 95):.1f} s (p95), {np.nanpercentile(answers, 95) / alone_s:.1f} times a recording "
        f"alone; whole page p95 {np.nanpercentile(whole, 95):.1f} s"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--rows", type=int, default=2000)
    args = parser.parse_args()
    uploads = mixed(args.recording, args.rows, args.sessions, first=1000)
    size = args.recording.stat().st_size / 1e6
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; recordings of {size:.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        server, base = serve(folder)
        try:
            process = psutil.Process(server.pid)
            alone = [visit(base, recording(args.recording, k)) for k in range(ALONE)]
            before, alone_mb = memory(process), process.memory_info().rss / 1e6
            watch = Highest(process)
            watch.start()
            used = sum(process.cpu_times()[:4])
            outcomes = crowd(base, uploads)
            used = sum(process.cpu_times()[:4]) - used
            watch.done.set()
            time.sleep(AFTER_S)
            after, left_mb = memory(process), process.memory_info().rss / 1e6
        finally:
            server.terminate()
            server.wait()
    one = float(np.median([each.answer_s for each in alone[1:]]))
    print(f"one recording alone, median of {ALONE - 1}: verdict after {one:.2f} s")
    for kind in (RECORDING, TABLE, HOSTILE):
        print(summary(kind, outcomes, one))
    print(f"processor time of server and parsers for all: {used:.0f} s")
    print(
        f"memory of server and parsers: {before:,.0f} MB before, {watch.mb:,.0f} MB at most (the server alone "
        f"{watch.server_mb:,.0f} MB), {after:,.0f} MB {AFTER_S:.0f} s after; the server alone "
        f"{alone_mb:,.0f} MB before, {left_mb:,.0f} MB after"
    )
    errors = [text for each in [*alone, *outcomes] for text in each.errors]
    print(f"errors: {len(errors)}" + "".join(f"\n  {text}" for text in sorted(set(errors))[:10]))
    sys.exit(bool(errors))


if __name__ == "__main__":
    main()
