"""NeuroClass: cortical cell types from patch-clamp recordings, with reasons one can check."""

__version__ = "0.1.0"
