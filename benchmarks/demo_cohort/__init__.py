"""Makes ``data/demo_cohort.parquet``: simulated cells accepted by approximate Bayesian computation.

Run as ``python -m benchmarks.demo_cohort --data FOLDER``; see ``data/README.md``.
"""
