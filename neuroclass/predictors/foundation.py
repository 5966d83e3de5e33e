"""What the models of all sets of features share."""

from collections.abc import Mapping
from dataclasses import dataclass

from neuroclass.cell_types import Species
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.types.arrays import Floats, Mask

SPECIES = tuple(species.value for species in Species)


@dataclass(frozen=True)
class Foundation:
    """What the models of all feature sets share.

    Attributes
    ----------
    preprocessor : Preprocessor
        Fitted on the database's mouse cells.
    shapes : mapping of species to ClassShapes
        Mouse: five subclasses. Human: excitatory, inhibitory.
    background : ndarray, shape (n_prototypes, 41)
        Standardised prototypes of training cells, the background of SHAP values.
    training : str
        Checksum of the training cells.
    source : str
        What they are.
    """

    preprocessor: Preprocessor
    shapes: Mapping[str, ClassShapes]
    background: Floats
    training: str
    source: str


def digits_of(present: Mask) -> str:
    """A feature set as 41 digits, 1 for present."""
    return "".join("1" if known else "0" for known in present)
