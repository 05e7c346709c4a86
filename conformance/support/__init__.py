"""Can I use a feature on an engine? What works, what does not and why, counted from verdicts."""
