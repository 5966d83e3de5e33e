"""The package's face: names on demand, all documented."""

import inspect
import subprocess
import sys

import pytest

import neuroclass as nc


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, neuroclass; print(*sorted(m.split('.')[0] for m in sys.modules))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "neuroclass" in loaded
    assert not loaded & {"numpy", "pandas", "torch", "plotly", "scipy", "sklearn"}


@pytest.mark.parametrize("name", nc.__all__)
def test_every_name_is_there_and_described(name: str) -> None:
    assert inspect.getdoc(getattr(nc, name))


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'clasify'"):
        nc.clasify  # noqa: B018
