"""The Paper page: the paper's tables and figures, made again."""
