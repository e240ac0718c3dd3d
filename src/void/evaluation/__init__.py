"""Metrics, baselines and the report. Compares clips on disk; never imports training."""
