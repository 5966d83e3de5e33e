from neuroclass.api import plot as plot
from neuroclass.api.cells import Adaptation as Adaptation
from neuroclass.api.cells import adapt as adapt
from neuroclass.api.cells import evaluate as evaluate
from neuroclass.api.cells import load_cohort as load_cohort
from neuroclass.api.estimators import DANNClassifier as DANNClassifier
from neuroclass.api.estimators import LSPINClassifier as LSPINClassifier
from neuroclass.api.recordings import ExtractedFeatures as ExtractedFeatures
from neuroclass.api.recordings import extract_features as extract_features
from neuroclass.api.recordings import read_recording as read_recording
from neuroclass.api.recordings import read_recordings as read_recordings
from neuroclass.api.verdicts import Verdict as Verdict
from neuroclass.api.verdicts import Verdicts as Verdicts
from neuroclass.api.verdicts import classify as classify
from neuroclass.cohort.examples import example_recording as example_recording

__version__: str
