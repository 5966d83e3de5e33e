"""Names of systems and protocols, for parsers and pages that must load fast."""

from enum import StrEnum

SYSTEM_TITLES: dict[str, str] = {
    "dann": "DANN, ours",
    "dann-lambda0": "DANN without adversary",
    "dann-shallow": "DANN, one-layer network",
    "dann-nested": "DANN, settings chosen within each fold",
    "lspin": "LSPIN, ours",
    "lspin-nested": "LSPIN, settings chosen within each fold",
    "lspin-paper": "LSPIN, the paper's recipe",
    "rf": "Random forest",
    "svc": "SVC",
    "xgboost": "XGBoost",
    "lda": "LDA",
    "lasso": "LASSO",
    "gbdt": "Gradient boosting",
    "ann": "ANN",
    "ann-ensemble": "ANN ensemble",
    "few-labels": "Self-training, 20 labels per class",
    "etypes": "Types found without labels",
    "circular": "One angle in the PCA plane",
}
"""Every system of the registry, with the title that people read."""

HUMAN_SYSTEM_TITLES: dict[str, str] = {
    "human-subclass": "Human subclass, ours",
    "lr": "Logistic regression",
    "lda": "LDA",
    "svc": "SVC",
}
"""The systems that tell human subclasses; ours and its baselines, which are evaluated together."""

ALONE, BATCH, NETWORK = "alone", "batch", "one network for all features"

OUTSIDE_SYSTEM_TITLES: dict[str, str] = {
    ALONE: "Ours, each cell alone",
    BATCH: "Ours, the table as one batch",
    NETWORK: "One network for all features",
    "lda": "LDA",
    "lr": "Logistic regression",
    "svc": "SVC",
    "xgboost": "XGBoost",
}
"""The systems that are tested on tables of other laboratories."""

LABORATORIES: dict[str, tuple[str, str]] = {
    "visp_mouse": ("Mouse V1", "mouse visual cortex, GABAergic, Patch-seq (Gouwens et al. 2020)"),
    "m1_mouse_25c": ("Mouse M1, 25 °C", "mouse motor cortex at 25 °C, Patch-seq (Scala et al. 2021)"),
    "human_gabaergic": ("Human GABAergic", "human cortex, acute slices and slice culture (Lee, Dalley et al. 2023)"),
    "human_excitatory": ("Human excitatory", "human supragranular pyramidal cells (Berg et al. 2021)"),
}
"""Title and source of each table of another laboratory."""

SYSTEM_NAMES: tuple[str, ...] = tuple(SYSTEM_TITLES)


class Protocol(StrEnum):
    """The protocols by name."""

    DONOR_CV = "donor-cv"
    PAPER_SPLIT = "paper-split"
    LEAVE_SPECIES_OUT = "leave-species-out"
    MASKED = "masked"
    LAB_SHIFT = "lab-shift"
    OUTSIDE = "outside"
    LEAVE_ONE_LABORATORY_OUT = "leave-one-laboratory-out"
