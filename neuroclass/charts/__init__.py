"""Charts: tables in, plotly figures out."""
