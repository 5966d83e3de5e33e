"""Whether the arrays of a loaded estimator fit each other: compiled code follows their indices unchecked."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_PARTS = 100_000
_LEAF = -1
_MAY_BE_INFINITE = ("_BinMapper",)


def check_estimator(estimator: Any, n_features: int, n_classes: int) -> None:
    """Check an estimator of scikit-learn's, and those that it holds.

    Parameters
    ----------
    estimator : object
        As loaded.
    n_features, n_classes : int
        Inputs, and classes of the task.

    Raises
    ------
    ValueError
        If arrays do not fit each other, are not finite, or an index leads out of them.
    """
    classes = np.asarray(estimator.classes_)
    if classes.dtype.kind not in "iu" or classes.ndim != 1 or not 2 <= len(classes) <= n_classes:
        raise ValueError(f"classes {str(classes)[:60]} are not positions of {n_classes} classes")
    if (np.diff(classes.astype(np.int64)) <= 0).any() or classes.min() < 0 or classes.max() >= n_classes:
        raise ValueError(f"classes {str(classes)[:60]} are not positions of {n_classes} classes in order")
    for number, part in enumerate(_parts(estimator)):
        if number > MOST_PARTS:
            raise ValueError("it holds too many estimators")
        _check_part(part, n_features)


def _parts(value: Any, depth: int = 0) -> Iterator[Any]:
    """An object and all objects that it holds."""
    if depth > 12:
        raise ValueError("it is nested too deeply")
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object):
        for one in value:
            yield from _parts(one, depth + 1)
        return
    if isinstance(value, np.ndarray | str | int | float | bool | np.generic) or value is None:
        return
    yield value
    for one in vars(value).values() if hasattr(value, "__dict__") else ():
        yield from _parts(one, depth + 1)


def _check_part(part: Any, n_features: int) -> None:
    kind = type(part).__name__
    for name, array in vars(part).items() if hasattr(part, "__dict__") else ():
        numbers = isinstance(array, np.ndarray) and array.dtype.kind == "f"
        if numbers and kind not in _MAY_BE_INFINITE and not np.isfinite(array).all():
            raise ValueError(f"{kind}.{name} holds values that are not finite")
    if getattr(part, "n_jobs", None) not in (None, 1):
        raise ValueError(f"{kind}.n_jobs is {part.n_jobs!r}; expected None or 1")
    if kind == "Tree":
        nodes = part.__getstate__()["nodes"]
        _check_links(nodes["left_child"], nodes["right_child"], nodes["feature"], n_features, "Tree")
    if kind == "TreePredictor":
        _check_boosted(part.nodes, n_features)
    if kind == "SVC":
        _check_svc(part, n_features)


def _check_links(
    left: npt.NDArray[Any], right: npt.NDArray[Any], feature: npt.NDArray[Any], n_features: int, what: str
) -> None:
    """Children come after their parent, so that every path ends, and exist; features exist."""
    left, right, feature = (np.asarray(one, dtype=np.int64) for one in (left, right, feature))
    inner = left != _LEAF
    own = np.arange(len(left))
    good = (left > own) & (right > own) & (left < len(left)) & (right < len(left))
    good &= (feature >= 0) & (feature < n_features)
    if not len(left) or not good[inner].all() or (right[~inner] != _LEAF).any():
        raise ValueError(f"a {what} has a node that leads nowhere")


def _check_boosted(nodes: npt.NDArray[Any], n_features: int) -> None:
    leaf = nodes["is_leaf"] != 0
    left, right = (np.where(leaf, _LEAF, nodes[name].astype(np.int64)) for name in ("left", "right"))
    _check_links(left, right, np.where(leaf, 0, nodes["feature_idx"]), n_features, "TreePredictor")
    if nodes["is_categorical"].any():
        raise ValueError("a TreePredictor divides by categories; features are numbers")


def _check_svc(part: Any, n_features: int) -> None:
    n_support, n_classes = np.asarray(part._n_support), len(part.classes_)
    vectors, n_pairs = int(n_support.sum()), n_classes * (n_classes - 1) // 2
    shapes = {
        "support_vectors_": (vectors, n_features),
        "support_": (vectors,),
        "_dual_coef_": (n_classes - 1, vectors),
        "dual_coef_": (n_classes - 1, vectors),
        "_intercept_": (n_pairs,),
        "_probA": (n_pairs,),
        "_probB": (n_pairs,),
    }
    if len(n_support) != n_classes or (n_support < 0).any():
        raise ValueError("SVC has other classes than support vectors")
    for name, shape in shapes.items():
        if np.shape(getattr(part, name)) != shape:
            raise ValueError(f"SVC.{name} has the shape {np.shape(getattr(part, name))}; expected {shape}")
    if part.kernel != "rbf" or not np.isfinite(float(part._gamma)) or part._sparse:
        raise ValueError("SVC is not of a dense Gaussian kernel")


def check_xgboost(document: Any, n_features: int, n_classes: int) -> None:
    """Check XGBoost's JSON before XGBoost reads it.

    Parameters
    ----------
    document : object
        What the file holds.
    n_features, n_classes : int
        Inputs, and classes of the task.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is not a boosted forest of such inputs and classes.
    """
    learner = document["learner"]
    if int(learner["learner_model_param"]["num_feature"]) != n_features:
        raise ValueError("it takes other features")
    n_found = max(2, int(learner["learner_model_param"]["num_class"]))
    if n_found > n_classes or learner["gradient_booster"]["name"] != "gbtree":
        raise ValueError("it is not a boosted forest of these classes")
    model = learner["gradient_booster"]["model"]
    groups = [int(one) for one in model["tree_info"]]
    if len(groups) != len(model["trees"]) or not all(0 <= one < n_found for one in groups):
        raise ValueError("its trees are not those of its classes")
    for tree in model["trees"]:
        names = ("left_children", "right_children", "split_indices", "split_conditions", "default_left", "parents")
        arrays = [np.asarray(tree[name], dtype=np.float64) for name in names]
        if len({len(one) for one in arrays}) != 1 or not all(np.isfinite(one).all() for one in arrays):
            raise ValueError("a tree's arrays do not fit each other")
        if any(tree.get("split_type", ())) or tree.get("categories"):
            raise ValueError("a tree divides by categories; features are numbers")
        left, right, feature = (one.astype(np.int64) for one in arrays[:3])
        _check_links(left, right, feature, n_features, "tree")
