"""Explanations of models and predictions: SHAP values, gates, embeddings, counterfactuals."""
