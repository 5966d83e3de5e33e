"""What a parser process can be asked for."""

RECORDINGS, TABLE, COLUMNS = "recordings", "table", "columns"
