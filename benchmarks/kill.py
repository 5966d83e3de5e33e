"""kill -9 at random moments: the server, a parser, in the middle of unpacking, at the first write of the history.

Each round starts a server, in every fourth on a fresh folder, drops a recording, a table or a zip, kills at a random
moment, starts the server again on the same folder as the same browser, and looks: whatever verdict the visitor had
seen is in the history with its file, whole; the database is sound; no part, draft or process is left; and the same
file is classified.

    python -m benchmarks.kill RECORDING [--rounds 50] [--seed 0]
"""

import argparse
import hashlib
import io
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import psutil

from benchmarks.sessions import Outcome, Upload, serve, visit
from benchmarks.uploads import recording, table
from neuroclass.io.history import DONE, History
from neuroclass.io.spool import Spool
from neuroclass.ui.history.browser_identity import COOKIE

SERVER, PARSER = "server", "parser"
TARGETS = (SERVER, PARSER)
PARSER_SHARE = 0.25
FRESH_EVERY = 4
GONE_S = 10.0


def archive(path: Path, number: int) -> Upload:
    """A zip of recordings and a table, stored so that unpacking takes a while."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        for k in range(6):
            one = recording(path, 100 * number + k)
            parts.writestr(one.name, one.content)
        parts.writestr("cells.csv", table(50, number).content)
    return Upload("zip", f"cells{number}.zip", out.getvalue())


def children_of(server: psutil.Process) -> list[psutil.Process]:
    """The server's child processes."""
    with suppress(psutil.Error):
        return server.children(recursive=True)
    return []


class Round:
    """One kill.

    Parameters
    ----------
    folder : Path
        What the server keeps.
    upload : Upload
        The file.
    target : str
        ``server`` or ``parser``.
    after_s : float
        Seconds from the drop to the kill.
    cookies : dict
        The browser's identity; filled at the first visit.
    """

    def __init__(self, folder: Path, upload: Upload, target: str, after_s: float, cookies: dict[str, str]) -> None:
        self.folder, self.upload, self.target, self.after_s, self.cookies = folder, upload, target, after_s, cookies
        self.wrong: list[str] = []

    def run(self) -> tuple[Outcome, list[str]]:
        """Kill, start again, look; what the visitor had seen, and what is wrong."""
        server, base = serve(str(self.folder))
        outcome = Outcome()
        tab = threading.Thread(target=visit, args=(base, self.upload, None, outcome, self.cookies), daemon=True)
        tab.start()
        outcome.dropped.wait(300)
        time.sleep(self.after_s)
        children = children_of(psutil.Process(server.pid))
        if self.target == PARSER:
            for one in children:
                with suppress(psutil.Error):
                    one.kill()
            tab.join(300)
            raised = [text for text in outcome.errors if "no verdict" not in text]  # it may be refused
            self.wrong += [f"on the page after its parser was killed: {text}" for text in raised]
        server.send_signal(signal.SIGKILL)
        server.wait()
        seen = not np.isnan(outcome.answer_s)
        tab.join(30)
        self._nobody_is_left(children)
        self._again(seen)
        return outcome, self.wrong

    def _nobody_is_left(self, children: Sequence[psutil.Process]) -> None:
        _, alive = psutil.wait_procs(children, timeout=GONE_S)
        self.wrong += [f"process {one.pid} outlived its server" for one in alive]

    def _again(self, seen: bool) -> None:
        """The same browser at a new server on the same folder."""
        if seen:
            self._is_kept()
        server, base = serve(str(self.folder))
        try:
            self.wrong += [f"after the kill: {text}" for text in visit(base, self.upload, cookies=self.cookies).errors]
            self._is_kept()
            self._nothing_is_left()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()

    def _is_kept(self) -> None:
        """The dropped content has an entry with a verdict, and every entry has its files, whole."""
        place = self.folder / "history"
        with closing(sqlite3.connect(place / "history.sqlite")) as database:
            (sound,) = database.execute("PRAGMA integrity_check").fetchone()
        self.wrong += [] if sound == "ok" else [f"the database: {sound}"]
        history = History(f"sqlite:///{place / 'history.sqlite'}", Spool(place / "files"))
        entries = history.find(self.cookies[COOKIE])
        wanted = {one.name for one in entries if one.state == DONE}
        if not any(name.startswith(self.upload.name) for name in wanted):
            self.wrong.append(f"{self.upload.name} has no verdict in the history")
        for file in (file for one in entries for file in one.files):
            path = history.spool.path(file.digest)
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != file.digest:
                self.wrong.append(f"{file.name} is not whole")

    def _nothing_is_left(self) -> None:
        left = [*(self.folder / "history" / "files").glob("part-*"), *self.folder.rglob("*.part")]
        self.wrong += [f"left over: {path.name}" for path in left]


def main() -> None:
    """Kill again and again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--latest", type=float, default=4.0, help="latest kill, s after the drop (default: 4)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    failed = 0
    with tempfile.TemporaryDirectory() as top:
        for number in range(args.rounds):
            if number % FRESH_EVERY == 0:
                folder, cookies = Path(top) / str(number), {}
                folder.mkdir()
            make = (recording, archive)[number % 2] if number % 5 else None
            upload = make(args.recording, number) if make else table(2000, number)
            target = TARGETS[rng.random() < PARSER_SHARE]
            after_s = rng.uniform(0, args.latest)
            outcome, wrong = Round(folder, upload, target, after_s, cookies).run()
            failed += bool(wrong)
            saw = "a verdict" if outcome.answer_s < after_s else "no verdict yet"
            print(f"{number + 1:3d}: {upload.kind}, {target} killed {after_s:.2f} s after the drop, {saw}", flush=True)
            print("".join(f"     {text}\n" for text in wrong), end="", flush=True)
    print(f"{args.rounds} kills, {failed} with something lost or left over")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
