"""A model's report, written once: the evaluation and explanations that its pages read."""
