"""Groups of features that measure one quantity under several stimuli."""

from neuroclass.features import FEATURES


def quantities() -> dict[str, tuple[str, ...]]:
    """The 41 features by the quantity they measure, in table order.

    Returns
    -------
    dict of str to tuple of str
        The features of each quantity. The key is the label for a quantity measured under several stimuli, such as
        ``Peak``, and the feature's name otherwise.
    """
    found: dict[str, list[str]] = {}
    for spec in FEATURES:
        found.setdefault(spec.label, []).append(spec.name)
    return {label if len(names) > 1 else names[0]: tuple(names) for label, names in found.items()}
