"""Adaptation to a laboratory: how its cells differ from the reference, and verdicts corrected for it."""
