"""kill -9 at random moments while files are stored, unpacked, parsed and written into the history.

``KILLS`` says how many times; the server as a whole is killed by ``python -m benchmarks.kill``.
"""

import hashlib
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from neuroclass.config import PROJECT_DIR
from neuroclass.io import sandbox
from neuroclass.io.atomic import write_atomically
from neuroclass.io.history import DONE, History
from neuroclass.io.spool import Spool
from neuroclass.io.table_columns import TableLimits
from neuroclass.io.table_readers import Wanted
from neuroclass.io.tasks import TABLE

KILLS = int(os.environ.get("KILLS", "4"))
LATEST_S = 1.0
OWNER = "browser-" + "x" * 40
WORK = """
import sys
from pathlib import Path
from neuroclass.io.archives import is_archive, unpack
from neuroclass.io import sandbox
from neuroclass.io.atomic import write_atomically
from neuroclass.io.feature_table import read_raw_table
from neuroclass.io.history import History, StoredFile
from neuroclass.io.spool import Spool
folder, source, owner = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
print("ready", flush=True)
sys.stdin.readline()
spool = Spool(folder / "files")
history = History(f"sqlite:///{folder / 'history.sqlite'}", spool)
for upload in sorted(source.iterdir()):
    with upload.open("rb") as file:
        digest, size = spool.put(file, owner)
    files = [(upload.name, digest, size)]
    if is_archive(spool.path(digest)):
        files = []
        with spool.workplace() as place:
            for member in unpack(spool.path(digest), upload.name, Path(place)):
                size = member.path.stat().st_size
                spool.adopt(member.path, member.digest, owner)
                files.append((member.name, member.digest, size))
        spool.release([digest], owner)
        spool.remove([digest])
    for name, digest, size in files:
        entry = history.begin(owner, [StoredFile(name, digest, size)], {})
        print("begun", name, flush=True)
        rows = len(read_raw_table(spool.path(digest), name))
        write_atomically(folder / "status.json", b"x" * 3_000_000)
        history.finish(owner, entry, "v1", [], f"{rows} cells")
        print("done", name, flush=True)
"""


def table(number: int) -> bytes:
    return b"cell,vrest,tau\n" + b"".join(b"%d-%d,-70,12\n" % (number, k) for k in range(3000))


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables, and zips of tables."""
    folder = tmp_path_factory.mktemp("uploads")
    for number in range(40):
        if number % 3:
            (folder / f"{number:02d}.csv").write_bytes(table(number))
            continue
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in range(5):
                archive.writestr(f"{part}.csv", table(1000 * number + part))
        (folder / f"{number:02d}.zip").write_bytes(out.getvalue())
    return folder


def killed(folder: Path, uploads: Path, after_s: float) -> tuple[dict[str, list[str]], list[psutil.Process]]:
    """What a process said it had begun and done when it was killed, and the parsers that it had."""
    command = [sys.executable, "-c", WORK, str(folder), str(uploads), OWNER]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT_DIR)
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdin.write(b"\n")
    process.stdin.flush()
    time.sleep(after_s)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    said: dict[str, list[str]] = {"begun": [], "done": []}
    for line in process.stdout.read().decode().splitlines():
        word, _, name = line.partition(" ")
        said[word].append(name)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    return said, children


def wrong_after(folder: Path, said: dict[str, list[str]], children: list[psutil.Process]) -> list[str]:
    """What is lost or left over, once a history is opened again."""
    found = [f"parser {one.pid} is left" for one in psutil.wait_procs(children, timeout=60)[1]]
    history = History(f"sqlite:///{folder / 'history.sqlite'}", Spool(folder / "files"))
    with closing(sqlite3.connect(folder / "history.sqlite")) as database:
        if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            found.append("the database is damaged")
    entries = {entry.name: entry for entry in history.find(OWNER)}
    found += [f"{name} is lost" for name in said["begun"] if name not in entries]
    found += [f"{name} has lost its verdict" for name in said["done"] if entries[name].state != DONE]
    for entry in entries.values():
        path = history.spool.path(entry.files[0].digest)
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry.files[0].digest:
            found.append(f"the file of {entry.name} is not whole")
    history.prune(days=90, max_bytes=10**12)
    write_atomically(folder / "status.json", json.dumps({"ended": True}).encode())
    left = [*(folder / "files").glob("part-*"), *folder.glob("*.part")]
    later = time.time() + 2 * 86_400
    kept = {file.digest for entry in entries.values() for file in entry.files}
    for path in [*(folder / "files").iterdir()]:
        if path.name not in kept and path.name != "lock" and not path.name.startswith("alive-"):
            os.utime(path, (later - 4 * 86_400,) * 2)
    history.prune(days=90, max_bytes=10**12)
    names = {path.name for path in (folder / "files").iterdir() if not path.name.startswith(("alive-", "lock"))}
    return found + [f"left over: {path.name}" for path in left] + [f"left over: {name}" for name in names - kept]


@pytest.mark.parametrize("number", range(KILLS))
def test_nothing_is_lost_and_nothing_left_over(number: int, tmp_path: Path, uploads: Path) -> None:
    rng = random.Random(number)
    for _ in range(2):  # the second finds what the first left
        said, children = killed(tmp_path, uploads, rng.uniform(0, LATEST_S if number % 2 else 6 * LATEST_S))
        assert wrong_after(tmp_path, said, children) == []


def test_a_parser_ends_with_its_server_in_the_middle_of_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.csv")  # reading it never ends
    code = (
        "import sys; from pathlib import Path; from neuroclass.io import sandbox, feature_table\n"
        "import threading, time\n"
        "read = threading.Thread(target=feature_table.read_raw_table, args=(Path(sys.argv[1]), 'endless.csv'))\n"
        "read.start()\n"
        "import psutil\n"
        "while not psutil.Process().children(): time.sleep(0.05)\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "endless.csv")]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT_DIR)
    assert server.stdout is not None
    parser = psutil.Process(int(server.stdout.readline()))
    time.sleep(2.0)
    assert parser.is_running()
    server.kill()
    server.wait()
    server.stdout.close()
    assert psutil.wait_procs([parser], timeout=60)[1] == []


def test_the_kernel_ends_a_parser_that_takes_longer_than_anyone_waits(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    os.mkfifo(path)
    with sandbox._pool.worker() as worker:
        request = {"task": TABLE, "path": str(path), "name": path.name, "wanted": asdict(Wanted()), "at_most_s": 1.0}
        worker.send({**request, "limits": asdict(TableLimits())})
        assert worker.process.wait(timeout=60) == -signal.SIGALRM
