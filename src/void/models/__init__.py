"""The networks: transformer, VAE, text encoder, and their weights.

Nothing here knows of files of pairs, of training or of sampling, but for the folder vae_training, which nothing else
imports.
"""
