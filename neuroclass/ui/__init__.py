"""What the pages share; with them the only user of streamlit."""
