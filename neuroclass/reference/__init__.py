"""Reference values: ranges, quantiles and cells of the database."""
