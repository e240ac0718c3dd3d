"""Experiment tracking: Weights & Biases behind a small interface, and the metrics file that is always written."""
