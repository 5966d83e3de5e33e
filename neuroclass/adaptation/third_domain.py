"""DANN with a laboratory as its third domain, retrained on the reference cells and the lab's unlabelled ones.

The adversary tries to distinguish mouse, human and laboratory; the features are trained to defeat it. This needs
the reference cells themselves, so the real tables must be loaded.
"""

import pandas as pd

from neuroclass.adaptation.laboratory import Batch
from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.config import DannSettings
from neuroclass.errors import CohortError
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.dann import DannPredictor
from neuroclass.training.fit_dann import train_dann
from neuroclass.types.progress import ProgressCallback, ignore_progress

LABORATORY = "laboratory"


def with_laboratory(cells: Cohort, batch: Batch) -> Cohort:
    """Join the reference cells with the laboratory's, unlabelled and as a species of their own.

    Raises
    ------
    CohortError
        If the reference's cells are simulated.
    """
    if cells.simulated:
        raise CohortError(
            "DANN can only be trained with the laboratory as a domain where the real tables are loaded; set "
            "NEUROCLASS_DATA or run `python -m neuroclass fetch`. The alignment works without them."
        )
    lab = pd.DataFrame(batch.x, columns=list(FEATURE_NAMES))
    lab = lab.assign(id=[f"{LABORATORY} {k}" for k in range(len(lab))], species=LABORATORY)
    both = pd.concat([cells.frame, lab], ignore_index=True)
    return make_cohort(both, f"{cells.source} and {len(lab)} cells of the laboratory")


def train_with_laboratory(
    cells: Cohort, batch: Batch, settings: DannSettings | None = None, progress: ProgressCallback = ignore_progress
) -> DannPredictor:
    """Train DANN with the laboratory as a third domain.

    Parameters
    ----------
    cells : Cohort
        The real table.
    batch : Batch
        The laboratory's cells; their labels, if any, are not used.
    settings : DannSettings, optional
        As for the shipped model by default.
    progress : ProgressCallback
        Called after each epoch; see `run_training`.

    Returns
    -------
    DannPredictor

    Raises
    ------
    CohortError
        If the reference's cells are simulated.
    """
    return train_dann(with_laboratory(cells, batch), settings or DannSettings(), progress)
