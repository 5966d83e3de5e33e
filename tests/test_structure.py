"""The package's shape: no import circle, nothing loose at the root, short modules, described packages."""

import ast
import importlib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import neuroclass

ROOT = Path(neuroclass.__file__).parent
MODULES = {
    ".".join(("neuroclass", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
AT_ROOT = {"__init__", "__main__", "cli", "config", "features", "cell_types", "errors"}
MOST_LINES = 350


def imported(path: Path) -> set[str]:
    """Modules of the package that a module imports when it is loaded, or only for type checking."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    found: set[str] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
        pending += ast.iter_child_nodes(node)
    return found & MODULES.keys()


def test_imports_have_no_circle() -> None:
    graph = {name: imported(path) - {name} for name, path in MODULES.items()}
    assert sum(map(len, graph.values())) > len(MODULES)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" → ".join(error.args[1])) from None


def test_nothing_lies_loose_at_the_root() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} == AT_ROOT


def test_modules_are_short() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES} == {}


def test_every_module_and_package_says_what_it_is() -> None:
    silent = [name for name, path in MODULES.items() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []
    folders = {path.parent for path in MODULES.values()}
    assert [folder.name for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_every_decision_has_a_number_of_its_own_which_its_title_bears():
    paths = sorted((ROOT.parent / "docs" / "adr").glob("*.md"))
    numbers = [int(path.name[:4]) for path in paths]
    assert len(set(numbers)) == len(numbers)
    for number, path in zip(numbers, paths, strict=True):
        assert path.read_text(encoding="utf-8").startswith(f"# {number}. ")


def test_every_benchmark_and_script_can_be_started() -> None:
    folders = (ROOT.parent / "benchmarks", ROOT.parent / "docs" / "scripts")
    paths = [path.relative_to(ROOT.parent) for folder in folders for path in folder.rglob("*.py")]
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in sorted(paths)]
    assert len(names) > 20
    hooks = {"docs.scripts.hooks"}  # mkdocs loads it with its own folder on the path
    for name in set(names) - hooks:
        importlib.import_module(name)
