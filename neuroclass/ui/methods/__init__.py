"""The Methods page: features, models, limitations and citations."""
