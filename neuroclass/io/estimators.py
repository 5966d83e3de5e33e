"""Trained estimators as bytes, without pickle: skops' format for scikit-learn's, XGBoost's own JSON.

skops 0.11 is the last that runs with the numpy which allensdk needs. Some of its nodes can be abused by a hostile file
(CVE-2025-54412, CVE-2025-54413), so a file is read only if every node in it is of a closed list of loaders and types.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

from neuroclass.errors import UnsafeFileError
from neuroclass.io.estimator_checks import check_estimator, check_xgboost

SKOPS_FILE, XGBOOST_FILE = "estimator.skops", "estimator.json"
FILES = (SKOPS_FILE, XGBOOST_FILE)
MOST_BYTES, MOST_MEMBERS, MOST_SCHEMA = 512_000_000, 50_000, 64_000_000
MOST_FILE = 256_000_000
_SCHEMA = "schema.json"
_OURS = "neuroclass.training."
_ENSEMBLE = "sklearn.ensemble._hist_gradient_boosting."

MAIN_TYPE: Mapping[str, str] = {
    "rf": "sklearn.ensemble._forest.RandomForestClassifier",
    "svc": "sklearn.svm._classes.SVC",
    "lda": "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
    "lasso": "sklearn.multiclass.OneVsRestClassifier",
    "gbdt": f"{_ENSEMBLE}gradient_boosting.HistGradientBoostingClassifier",
    "ann": "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
    "ann-ensemble": "sklearn.ensemble._bagging.BaggingClassifier",
    "few-labels": f"{_OURS}semi_supervised.SemiSupervised",
    "etypes": f"{_OURS}etypes.ETypeClassifier",
    "circular": f"{_OURS}circular.CircularTaxonomy",
}
"""The type of each system's estimator; XGBoost's is not saved by skops."""

XGBOOST = "xgboost"
SYSTEMS = (*MAIN_TYPE, XGBOOST)

_LOSSES = ("_loss.CyHalfBinomialLoss", "_loss.CyHalfMultinomialLoss")
_PARTS = (
    *_LOSSES,
    f"{_OURS}circular.Circle",
    f"{_OURS}etypes.ETypes",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn.decomposition._pca.PCA",
    "sklearn.decomposition._sparse_pca.MiniBatchSparsePCA",
    f"{_ENSEMBLE}binning._BinMapper",
    f"{_ENSEMBLE}predictor.TreePredictor",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.mixture._gaussian_mixture.GaussianMixture",
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing._label.LabelBinarizer",
    "sklearn.preprocessing._label.LabelEncoder",
    "sklearn.semi_supervised._self_training.SelfTrainingClassifier",
    "sklearn.tree._classes.DecisionTreeClassifier",
)
TRUSTED: tuple[str, ...] = (*MAIN_TYPE.values(), *_PARTS)
"""Types that an estimator's file may hold, beside arrays, numbers, text and containers of them."""

_NUMPY = ("bool_", "float32", "float64", "int32", "int64", "uint32", "uint64", "ndarray")
_LOADERS: Mapping[str, tuple[str, ...]] = {
    "ObjectNode": TRUSTED,
    "DictNode": ("builtins.dict",),
    "ListNode": ("builtins.list",),
    "TupleNode": ("builtins.tuple",),
    "JsonNode": ("builtins.str",),
    "TypeNode": ("builtins.str", "builtins.int"),
    "NdArrayNode": tuple(f"numpy.{name}" for name in _NUMPY),
    "RandomStateNode": ("numpy.random.mtrand.RandomState",),
    "LossNode": _LOSSES,
    "TreeNode": ("sklearn.tree._tree.Tree",),
}
_OF_FITTING = ("_feature_subsample_rng", "_random_state", "random_state_", "_optimizer", "_rng")
"""Attributes that only fitting uses: generators of random numbers and optimisers."""


def dump_estimator(system: str, estimator: Any) -> tuple[str, bytes]:
    """Write a trained estimator.

    Parameters
    ----------
    system : str
        One of `SYSTEMS`.
    estimator : object
        Fitted.

    Returns
    -------
    file : str
        Name of its file.
    content : bytes
    """
    if system == XGBOOST:
        return XGBOOST_FILE, bytes(estimator.get_booster().save_raw("json"))
    import skops.io

    return SKOPS_FILE, skops.io.dumps(_as_used(estimator), compression=zipfile.ZIP_DEFLATED)


def _as_used(estimator: Any) -> Any:
    """A copy without what only fitting uses, also in the estimators it holds."""
    result = copy(estimator)
    for name in _OF_FITTING:
        if name in vars(result):
            setattr(result, name, None)
    for name in ("estimators_", "estimator_"):
        inner = vars(result).get(name)
        if isinstance(inner, list):
            setattr(result, name, [_as_used(one) if hasattr(one, "__dict__") else one for one in inner])
    if "steps" in vars(result):
        result.steps = [(name, _as_used(step)) for name, step in result.steps]
    return result


def load_estimator(system: str, file: str, content: bytes, n_features: int, n_classes: int) -> Any:
    """Read a trained estimator; nothing in the file is executed.

    Parameters
    ----------
    system : str
        One of `SYSTEMS`.
    file : str
        Name of the file, as on the card.
    content : bytes
        Of the file.
    n_features, n_classes : int
        Inputs, and classes of the task.

    Returns
    -------
    object

    Raises
    ------
    UnsafeFileError
        If the file holds anything that such an estimator does not.
    """
    if len(content) > MOST_FILE:
        raise UnsafeFileError(_refusal(file, f"it has {len(content):,} bytes; at most {MOST_FILE:,} are read"))
    try:
        if system == XGBOOST and file == XGBOOST_FILE:
            return _xgboost(content, n_features, n_classes)
        if system in MAIN_TYPE and file == SKOPS_FILE:
            return _skops(system, content, n_features, n_classes)
    except UnsafeFileError:
        raise
    except Exception as error:  # the readers are others', and the file may hold anything
        raise UnsafeFileError(_refusal(file, f"{type(error).__name__}: {error}")) from error
    raise UnsafeFileError(_refusal(file, f"{system!r} has no such file; known are {', '.join(SYSTEMS)}"))


def _refusal(file: str, why: str) -> str:
    return (
        f"{file} is not an estimator that NeuroClass saved: {why[:300]}. Export the model again where it was trained."
    )


def _xgboost(content: bytes, n_features: int, n_classes: int) -> Any:
    from xgboost import XGBClassifier

    check_xgboost(json.loads(content), n_features, n_classes)
    model = XGBClassifier(n_jobs=1)
    model.load_model(bytearray(content))
    return model


def _skops(system: str, content: bytes, n_features: int, n_classes: int) -> Any:
    import sklearn._loss  # noqa: F401 (its compiled part is named in files without its package)
    import skops.io

    schema = _schema_of(content)
    for node in _nodes(schema):
        loader, kind = node["__loader__"], f"{node.get('__module__')}.{node.get('__class__')}"
        if kind not in _LOADERS.get(str(loader), ()):
            raise UnsafeFileError(_refusal(SKOPS_FILE, f"it asks for {kind} by {loader}, which is not on the list"))
    main = f"{schema.get('__module__')}.{schema.get('__class__')}"
    if main != MAIN_TYPE[system]:
        raise UnsafeFileError(_refusal(SKOPS_FILE, f"it holds {main}; expected {MAIN_TYPE[system]} for {system}"))
    estimator = skops.io.loads(content, trusted=list(TRUSTED))
    check_estimator(estimator, n_features, n_classes)
    return estimator


def _schema_of(content: bytes) -> Mapping[str, Any]:
    """The description of what a skops file holds, read within limits of size and number."""
    from skops.io._protocol import PROTOCOL

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        total = sum(one.file_size for one in members)
        if len(members) > MOST_MEMBERS or total > MOST_BYTES:
            raise UnsafeFileError(_refusal(SKOPS_FILE, f"it unpacks to {total:,} bytes in {len(members):,} files"))
        names = [one.filename for one in members]
        if len(set(names)) < len(names) or any(n != _SCHEMA and not n.endswith(".npy") for n in names):
            raise UnsafeFileError(_refusal(SKOPS_FILE, "it holds files that are not arrays"))
        if archive.getinfo(_SCHEMA).file_size > MOST_SCHEMA:
            raise UnsafeFileError(_refusal(SKOPS_FILE, "its description is too large"))
        schema = json.loads(archive.read(_SCHEMA))
    if not isinstance(schema, dict) or schema.get("protocol") != PROTOCOL:
        raise UnsafeFileError(_refusal(SKOPS_FILE, f"it is not of protocol {PROTOCOL}"))
    return schema


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every node of a description, however deep."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if "__loader__" in one or "__class__" in one or "__module__" in one:
                yield {"__loader__": None, **one}
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
