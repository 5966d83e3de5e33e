"""Features that measure one quantity under several stimuli, explained together."""

from neuroclass.features import FEATURES


def quantities() -> dict[str, tuple[str, ...]]:
    """The 41 features by the quantity they measure, in table order.

    Returns
    -------
    dict of str to tuple of str
        A quantity measured under several stimuli by its label, such as ``Peak``, any other feature by its own
        name, and the features that measure it.
    """
    found: dict[str, list[str]] = {}
    for spec in FEATURES:
        found.setdefault(spec.label, []).append(spec.name)
    return {label if len(names) > 1 else names[0]: tuple(names) for label, names in found.items()}
