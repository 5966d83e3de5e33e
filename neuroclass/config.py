"""Settings: where things live, and a frozen dataclass for every part that has settings."""

import os
from pathlib import Path

from platformdirs import user_cache_dir

DATA_VARIABLE = "NEUROCLASS_DATA"
CACHE_VARIABLE = "NEUROCLASS_CACHE"
PROJECT_DIR = Path(__file__).resolve().parent.parent
MODELS_DIR = PROJECT_DIR / "models"


def data_folder() -> Path | None:
    """Folder of published tables named by ``NEUROCLASS_DATA``; None where it is not set."""
    value = os.environ.get(DATA_VARIABLE, "").strip()
    return Path(value).expanduser() if value else None


def cache_folder() -> Path:
    """Folder for downloads and jobs: ``NEUROCLASS_CACHE``, else the user's cache folder."""
    value = os.environ.get(CACHE_VARIABLE, "").strip()
    return Path(value).expanduser() if value else Path(user_cache_dir("neuroclass", appauthor=False))
