"""What a parsing process cannot do, tried in a process of its own."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neuroclass.config import PROJECT_DIR
from neuroclass.io import sandbox
from neuroclass.io.confinement import MEMORY, OPEN_FILES

BEGIN = """
import ctypes, json, os, resource, socket, subprocess, sys
from neuroclass.io.confinement import MEMORY, confine
folder = sys.argv[1]
kept = open(folder + "/kept", "rb")
filtered = confine()
def attempt():
    {}
try:
    found = attempt()
except (OSError, ValueError) as error:
    found = "refused " + type(error).__name__
print(json.dumps([filtered, found]))
"""
KERNEL = {
    "create a file": 'open(folder + "/new", "w").close()',
    "create a file from C": 'return ctypes.CDLL(None).creat((folder + "/new").encode(), 0o600)',
    "truncate a file": 'open(folder + "/kept", "wb").close()',
    "truncate a file by name": 'os.truncate(folder + "/kept", 0)',
    "open for appending": 'open(folder + "/kept", "ab").close()',
    "open without a folder descriptor": 'return ctypes.CDLL(None).open((folder + "/kept").encode(), os.O_RDWR)',
    "delete a file": 'os.unlink(folder + "/kept")',
    "rename a file": 'os.rename(folder + "/kept", folder + "/new")',
    "link a file": 'os.symlink(folder + "/kept", folder + "/new")',
    "make a folder": 'os.mkdir(folder + "/new")',
    "change a file's mode": 'os.chmod(folder + "/kept", 0o777)',
    "open an internet socket": "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "open a datagram socket": "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
    "open a local socket": "socket.socket(socket.AF_UNIX)",
    "open a pair of sockets": "socket.socketpair()",
    "start a program": 'subprocess.run(["true"])',
    "signal its parent": "os.kill(os.getppid(), 0)",
    "raise the number of open files": "resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))",
    "raise the size of files": "resource.setrlimit(resource.RLIMIT_FSIZE, (10**9, 10**9))",
    "limit its parent": "resource.prlimit(os.getppid(), resource.RLIMIT_AS, (10**12, 10**12))",
}
LIMITS = {
    "raise its memory": "resource.setrlimit(resource.RLIMIT_AS, (2 * MEMORY, 2 * MEMORY))",
    "open very many files": 'return len([open(folder + "/kept", "rb") for _ in range(1000)])',
    "dump its memory": "resource.setrlimit(resource.RLIMIT_CORE, (10**6, 10**6))",
}
ALLOWED = {
    "read": ("return kept.read().decode()", "content"),
    "open for reading": ('return open(folder + "/kept").read()', "content"),
    "set the memory of one file": (
        "resource.setrlimit(resource.RLIMIT_AS, (10**9, MEMORY));"
        "resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9, MEMORY));"
        "return resource.getrlimit(resource.RLIMIT_AS)[0]",
        2 * 10**9,
    ),
}


def tried(what: str, folder: Path) -> tuple[bool, object]:
    (folder / "kept").write_text("content")
    command = [sys.executable, "-c", BEGIN.format(what), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_DIR, timeout=60, check=True)
    filtered, found = json.loads(done.stdout)
    assert (folder / "kept").read_text() == "content"
    assert [path.name for path in folder.iterdir()] == ["kept"]
    return filtered, found


@pytest.mark.parametrize("what", [*KERNEL, *LIMITS])
def test_a_parser_cannot(what, tmp_path):
    filtered, found = tried({**KERNEL, **LIMITS}[what], tmp_path)
    if not filtered and what in KERNEL:
        pytest.skip("this system has no libseccomp; see docs/adr/0005-recordings-are-hostile.md")
    assert found == -1 or str(found).startswith("refused")


@pytest.mark.parametrize("what", ALLOWED)
def test_a_parser_can(what, tmp_path):
    do, expected = ALLOWED[what]
    assert tried(do, tmp_path)[1] == expected


def test_parsers_are_confined():
    sandbox._pool.close()
    with sandbox._pool.worker() as worker:
        folder = Path(f"/proc/{worker.process.pid}")
        for _ in range(600):
            lines = (folder / "status").read_text(encoding="utf-8").splitlines()
            shown = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
            if shown["Seccomp"] == "2":
                break
            time.sleep(0.05)
        else:
            pytest.skip("this system has no libseccomp")
        rows = (folder / "limits").read_text(encoding="utf-8").splitlines()[1:]
        limits = {row[:26].strip(): row[26:].split()[:2] for row in rows}
        assert shown["NoNewPrivs"] == "1"
        assert limits["Max file size"] == ["0", "0"]
        assert limits["Max open files"] == [str(OPEN_FILES)] * 2
        assert limits["Max address space"][1] == str(MEMORY)
