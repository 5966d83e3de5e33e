"""Names of systems and protocols, for parsers and pages that must load fast."""

from enum import StrEnum

SYSTEM_NAMES: tuple[str, ...] = (
    "dann",
    "dann-lambda0",
    "dann-shallow",
    "dann-nested",
    "lspin",
    "lspin-nested",
    "lspin-paper",
    "rf",
    "svc",
    "xgboost",
    "lda",
    "lasso",
    "gbdt",
    "ann",
    "ann-ensemble",
    "few-labels",
    "etypes",
    "circular",
)


class Protocol(StrEnum):
    """The protocols by name."""

    DONOR_CV = "donor-cv"
    PAPER_SPLIT = "paper-split"
    LEAVE_SPECIES_OUT = "leave-species-out"
    MASKED = "masked"
    LAB_SHIFT = "lab-shift"
