"""A trained model at inference: preprocessing, networks, calibration, typicality."""
