"""The evidence for a verdict, shown for cohort cells and uploads alike."""
