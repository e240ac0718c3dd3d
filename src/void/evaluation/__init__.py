"""Metrics, baselines and the report's pages. Compares clips on disk; never imports training."""
