"""The latent cache: VAE posteriors and text embeddings of a manifest, computed once, keyed by content.

May use models and conditioning; never training.
"""
