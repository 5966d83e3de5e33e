"""What each system is that the models are compared with, in one line, and where it is described."""

from typing import NamedTuple


class SystemNote(NamedTuple):
    """One line on a system.

    Attributes
    ----------
    what : str
        What it does.
    reference : str
        Where it is described.
    """

    what: str
    reference: str


_GANIN = "Ganin et al., JMLR 17, 2016"
_YANG = "Yang, Lindenbaum and Kluger, ICML 2022"
_PAPER = "Ophir, Shefi and Lindenbaum, arXiv 2306.00528, 2023"
_SEO = "Seo and Lee, 2019"

SYSTEM_NOTES: dict[str, SystemNote] = {
    "dann": SystemNote(
        "Domain-adversarial network: its features tell the class while an adversary keeps the species out of them.",
        _GANIN,
    ),
    "dann-lambda0": SystemNote("The same network without the adversary (λ = 0).", _GANIN),
    "dann-shallow": SystemNote(
        "DANN whose feature extractor has one layer of four units: it fits mouse cells less closely.", _GANIN
    ),
    "dann-nested": SystemNote("DANN with settings searched anew on each fold's training donors.", _GANIN),
    "lspin": SystemNote("Locally sparse network: gates choose a few features for each cell.", _YANG),
    "lspin-nested": SystemNote("LSPIN with settings searched anew on each fold's training donors.", _YANG),
    "lspin-paper": SystemNote("LSPIN with the settings of the paper's public code.", _PAPER),
    "rf": SystemNote("300 decision trees on resampled cells, averaged.", "Breiman, Mach. Learn. 45, 2001"),
    "svc": SystemNote(
        "Support vector classifier with a radial kernel (C = 3).", "Cortes and Vapnik, Mach. Learn. 20, 1995"
    ),
    "xgboost": SystemNote("200 boosted decision trees of depth 4.", "Chen and Guestrin, KDD 2016"),
    "lda": SystemNote(
        "Linear discriminant analysis with shrunk covariance.", "Ledoit and Wolf, J. Multivar. Anal. 88, 2004"
    ),
    "lasso": SystemNote("Logistic regression of each class against the rest; an L1 penalty drops features.", _SEO),
    "gbdt": SystemNote("150 small boosted decision trees, each mending the errors of those before.", _SEO),
    "ann": SystemNote("Neural network with one hidden layer of 40 units.", _SEO),
    "ann-ensemble": SystemNote("Ten such networks on resampled cells, averaged.", _SEO),
    "few-labels": SystemNote(
        "Keeps the labels of 20 training cells a class; those it is sure of among the others become labels in turn.",
        "Yarowsky, ACL 1995",
    ),
    "etypes": SystemNote(
        "Finds electrophysiological types without labels (sparse principal components, mixture of Gaussians), then "
        "gives each type the classes of its training cells.",
        "Gouwens et al., Nat. Neurosci. 22, 2019",
    ),
    "circular": SystemNote(
        "Classifies by one number: the cell's angle in the plane of the first two principal components.",
        "Rodríguez-Collado and Rueda, Front. Hum. Neurosci. 15, 2021",
    ),
}
