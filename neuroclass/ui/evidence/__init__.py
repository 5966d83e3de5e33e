"""Why a verdict was given: shown for every cell, uploaded or not."""
