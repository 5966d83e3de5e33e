"""Losses, loops, ensembles and baselines."""
