"""What a trained model is at inference: preprocessing, networks, calibration, novelty."""
