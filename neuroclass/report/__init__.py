"""What a verdict becomes on paper: figures of its evidence, HTML, PDF and the Methods paragraph."""
