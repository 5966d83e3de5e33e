"""NeuroClass: cortical cell types from patch-clamp recordings, with reasons one can check.

Names are imported when they are first used, so that importing the package costs nothing;
``__init__.pyi`` tells type checkers where they are from.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "example_recording": "neuroclass.cohort.examples",
    "read_recording": "neuroclass.api.recordings",
    "read_recordings": "neuroclass.api.recordings",
    "ExtractedFeatures": "neuroclass.api.recordings",
    "extract_features": "neuroclass.api.recordings",
    "Verdict": "neuroclass.api.verdicts",
    "Verdicts": "neuroclass.api.verdicts",
    "classify": "neuroclass.api.verdicts",
    "load_cohort": "neuroclass.api.cells",
    "adapt": "neuroclass.api.cells",
    "Adaptation": "neuroclass.api.cells",
    "evaluate": "neuroclass.api.cells",
    "DANNClassifier": "neuroclass.api.estimators",
    "LSPINClassifier": "neuroclass.api.estimators",
}

__all__ = [
    "Adaptation",
    "DANNClassifier",
    "ExtractedFeatures",
    "LSPINClassifier",
    "Verdict",
    "Verdicts",
    "adapt",
    "classify",
    "evaluate",
    "example_recording",
    "extract_features",
    "load_cohort",
    "plot",
    "read_recording",
    "read_recordings",
]


def __getattr__(name: str) -> Any:
    if name == "plot":
        return import_module("neuroclass.api.plot")
    if name not in _PLACES:
        raise AttributeError(f"module 'neuroclass' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
