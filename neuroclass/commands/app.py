"""``app``: start the dashboard."""

import argparse
import importlib.util
import os
import subprocess
import sys

from neuroclass.config import SHIPPED_DIR
from neuroclass.errors import SettingsError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "app", help="start the dashboard in the browser", description="Start the dashboard; Ctrl-C ends it."
    )
    parser.add_argument("--port", type=int, default=8501, help="port of this computer to serve on (default: 8501)")
    parser.add_argument("--address", default="localhost", help="address to serve on (default: localhost)")
    parser.add_argument("--headless", action="store_true", help="do not open a browser")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if importlib.util.find_spec("streamlit") is None:
        raise SettingsError("The dashboard needs Streamlit, which is not installed: pip install 'neuroclass[app]'.")
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(SHIPPED_DIR / "app.py")),
        *("--server.port", str(args.port), "--server.address", args.address),
        *("--server.headless", str(args.headless).lower()),
    ]
    if os.name == "posix":
        os.execv(sys.executable, command)  # signals then reach the server itself
    return subprocess.call(command)
