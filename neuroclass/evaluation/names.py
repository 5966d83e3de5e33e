"""Names of systems and protocols, for parsers that must start fast."""

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
PROTOCOLS: tuple[str, ...] = ("donor-cv", "paper-split", "leave-species-out", "masked", "lab-shift")
