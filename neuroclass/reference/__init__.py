"""What is usual: ranges, quantiles and reference cells of the database."""
