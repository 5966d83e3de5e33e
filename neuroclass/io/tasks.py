"""What a parser process can be asked for."""

RECORDINGS, TABLE, COLUMNS, SHEETS = "recordings", "table", "columns", "sheets"
