"""How many processor threads a session's computation uses."""

import os
import subprocess
import sys

import pytest

from neuroclass.work.threads import LIBRARIES

CODE = """
import asyncio, sys, threading
import app
from neuroclass.ui import housekeeping, warmup
warmup.start = lambda: None
async def begin():
    async with app.warmed_up(app.app):
        import torch
        from threadpoolctl import threadpool_info
        found = []
        one = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
        one.start(); one.join()
        print(max(*found, *(library["num_threads"] for library in threadpool_info())))
asyncio.run(begin())
"""


COMMAND = """
import sys
from neuroclass import cli
from neuroclass.commands import cohort
def run(args):
    import torch
    from threadpoolctl import threadpool_info
    print(max(torch.get_num_threads(), *(library["num_threads"] for library in threadpool_info())))
    return 0
cohort.run = run
sys.argv = ["neuroclass", "cohort"]
cli.main()
"""


@pytest.mark.parametrize("code", [CODE, COMMAND], ids=["session", "command"])
@pytest.mark.parametrize("asked", ["", "2"])
def test_a_session_or_command_uses_one_thread_unless_the_environment_says_otherwise(asked, code):
    environment = {name: value for name, value in os.environ.items() if name not in LIBRARIES}
    environment |= {"OMP_NUM_THREADS": asked} if asked else {}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split()[-1] == (asked or "1")
