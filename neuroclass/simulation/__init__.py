"""Simulated cortical neurons: single-compartment conductance-based models under the database's stimuli."""
