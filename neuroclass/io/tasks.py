"""What a parser process can be asked for."""

RECORDINGS, TABLE, COLUMNS, SHEETS = "recordings", "table", "columns", "sheets"
REMOTE_SWEEPS, REMOTE_RECORDINGS = "remote sweeps", "remote recordings"
