"""Parts of the SHAP, Gates and Domains pages."""
