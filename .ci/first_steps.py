"""What someone does who has just installed NeuroClass: import it, classify a recording, ask the command line."""

import json
import subprocess
import sys
import urllib.request
from importlib.metadata import version
from pathlib import Path
from time import monotonic, sleep

import neuroclass as nc

assert Path(nc.__file__).is_relative_to(sys.prefix), nc.__file__
command = Path(sys.prefix) / "bin" / "neuroclass"
recording = nc.example_recording("fast-spiking")
verdict = nc.classify(recording)[0]
assert verdict.label == "Pvalb", verdict
assert verdict.report("verdict.html").stat().st_size > 10_000
printed = subprocess.run([command, "classify", "--json", recording], capture_output=True, text=True, check=True).stdout
(answer,) = json.loads(printed)
assert answer["subclass"] == dict(verdict.subclass.probabilities), (answer["subclass"], verdict.subclass)
print({name: version(name) for name in ("numpy", "pandas", "scipy", "pynwb")}, str(verdict))

server = subprocess.Popen([command, "app", "--headless", "--port", "8599"], stdout=subprocess.DEVNULL)
try:
    end = monotonic() + 120
    while True:
        try:
            assert urllib.request.urlopen("http://localhost:8599/_stcore/health", timeout=5).read() == b"ok"
            break
        except OSError:
            assert server.poll() is None and monotonic() < end, "the dashboard did not start"
            sleep(0.5)
finally:
    server.terminate()
print("the dashboard answers")
