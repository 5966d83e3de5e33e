"""From sweeps to spikes, passive properties and the 41 features."""
