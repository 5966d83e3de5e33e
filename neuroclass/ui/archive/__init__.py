"""The page Archive: recordings of the DANDI archive."""
