"""One module a change of the history's tables."""
