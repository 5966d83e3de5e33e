"""A verdict as a document: HTML, PDF, figures of the evidence, Methods paragraph."""
