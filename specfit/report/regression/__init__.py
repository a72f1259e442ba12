"""The report of an analysis: what a regression by estimators leaves on disk."""
