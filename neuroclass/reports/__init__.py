"""What a model's pages read: its evaluation and explanations, written once."""
