"""From results to a verdict: statistics, figures, the page."""
