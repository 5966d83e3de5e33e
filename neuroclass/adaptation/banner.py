"""One line on how a batch differs from the reference, whether its composition is known, and what to do."""

from neuroclass.adaptation.batch_model import BatchFit
from neuroclass.cell_types import label_of
from neuroclass.features import BY_NAME

_SHOWN_SHARE = 0.02


def batch_banner(fit: BatchFit) -> str:
    """The line for a batch, as display text.

    Parameters
    ----------
    fit : BatchFit
        The batch as it was learned.

    Returns
    -------
    str
        Complete sentences; without a composition where it cannot be estimated.
    """
    if not fit.adapted:
        return (
            f"The difference between this batch and the reference was not allowed for: {fit.why_not} The composition "
            "of the batch cannot be estimated; take each cell's verdict by itself."
        )
    differs = [part.in_words() for part in fit.components if part.shown]
    text = f"Differs from the reference: {'; '.join(differs)}." if differs else "No physical offset is certain."
    if fit.other_measurements:
        names = ", ".join(BY_NAME[name].label for name in fit.other_measurements)
        text += f" Probably measured otherwise than in the reference: {names}; check how it was measured."
    shares = sorted((fit.proportions or {}).items(), key=lambda pair: -pair[1].share)
    mix = ", ".join(f"{label_of(name)} {part.share:.0%} ({part.low:.0%} to {part.high:.0%})"
                    for name, part in shares if part.share >= _SHOWN_SHARE)  # fmt: skip
    return f"{text} Estimated composition, 95% interval: {mix}. Use the verdicts that allow for the laboratory."
