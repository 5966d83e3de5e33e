"""Protocols, metrics and calibration."""
