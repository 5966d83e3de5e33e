"""Every place in the readers that refuses a recording, found in their source."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from neuroclass.config import PROJECT_DIR

_IO = PROJECT_DIR / "neuroclass" / "io"
_OWN_FILES = ("heka", "heka_tree", "heka_trace", "heka_stimulus", "igor", "matlab", "neo_formats", "winwcp")
"""Readers whose refusals of damaged or undeclared files are tested with them; none of these offers anything."""
_ERRORS = ("RecordingError", "UnitsError", "ClampModeError", "UnsafeFileError")


@dataclass(frozen=True)
class Site:
    """A message that a reader may refuse a recording with."""

    module: str
    pattern: str

    def __str__(self) -> str:
        """Module and the start of the message."""
        return f"{self.module}: {re.sub(r'[^A-Za-z ]+', ' ', self.pattern.replace('.*?', '…'))[:60].strip()}"


def readers() -> list[Path]:
    """The modules of `neuroclass.io` that `recordings` reaches, itself included, but not those of `_OWN_FILES`."""
    found: dict[str, Path] = {}
    waiting = ["recordings"]
    while waiting:
        name = waiting.pop()
        path = _IO / f"{name}.py"
        if name in found or not path.is_file() or name in ("sandbox", *_OWN_FILES):
            continue
        found[name] = path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("neuroclass.io."):
                waiting.append(str(node.module).rsplit(".", 1)[-1])
    return [found[name] for name in sorted(found)]


def sites() -> list[Site]:
    """All refusals of the readers, one for each message."""
    found: dict[Site, None] = {}
    for path in readers():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ERRORS and node.args:
                for message in _messages(node.args[0], functions):
                    found[Site(path.stem, message)] = None
    return list(found)


def _messages(node: ast.expr, functions: dict[str, ast.FunctionDef]) -> list[str]:
    """Patterns of a message: a string, or what a function of the same module returns."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
        returned = [n.value for n in ast.walk(functions[node.func.id]) if isinstance(n, ast.Return) and n.value]
        return [pattern for value in returned for pattern in _messages(value, functions)]
    return [_pattern(node)]


def _pattern(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".*?" for v in node.values)
    return re.escape(str(node.value)) if isinstance(node, ast.Constant) else ".*?"
