"""Hundreds of uploads, one after another: whether the server's memory stays flat.

Half of the uploads are recordings, a quarter tables, a quarter hostile files; each is dropped by a session of its own,
which then leaves. Memory is printed as it goes, and the slope of the second half by least squares.

    python -m benchmarks.soak RECORDING [--uploads 500] [--rows 200] [--at-once 2]
"""

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil

from benchmarks.sessions import AFTER_S, Outcome, memory, serve, visit
from benchmarks.uploads import mixed

STEP = 20
MOST_MB_A_HUNDRED = 10.0


def slope(uploads: list[int], used: list[float]) -> float:
    """MB that memory grows by with a hundred uploads, over the second half."""
    half = len(used) // 2
    return float(100 * np.polyfit(uploads[half:], used[half:], 1)[0])


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--uploads", type=int, default=500)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=2)
    args = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    done, used = [], []
    errors: list[str] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(args.at_once) as pool:
        server, base = serve(folder)
        try:
            process = psutil.Process(server.pid)
            for first in range(0, args.uploads, STEP):
                uploads = mixed(args.recording, args.rows, min(STEP, args.uploads - first), first)
                outcomes: list[Outcome] = list(pool.map(lambda one: visit(base, one), uploads))
                errors += [text for one in outcomes for text in one.errors]
                done.append(first + len(uploads))
                used.append(memory(process))
                print(f"{done[-1]:4d} uploads: {used[-1]:,.0f} MB", flush=True)
            time.sleep(AFTER_S)
            after = memory(process)
        finally:
            server.terminate()
            server.wait()
    grown = slope(done, used) if len(done) > 3 else 0.0
    print(f"{after:,.0f} MB {AFTER_S:.0f} s after the last; {grown:+.1f} MB for every 100 uploads of the second half")
    print(f"errors: {len(errors)}" + "".join(f"\n  {text}" for text in sorted(set(errors))[:10]))
    sys.exit(bool(errors) or grown > MOST_MB_A_HUNDRED)


if __name__ == "__main__":
    main()
