"""Fine-tuning: one trainer over accelerate, checkpoints, resume, validation.

Reads the cache; knows nothing of pairs on disk or of evaluation.
"""
