"""Adapting to a laboratory: how its cells differ from the reference, and verdicts that allow for it."""
