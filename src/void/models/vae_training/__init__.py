"""Training of the tiny model's VAE (`void train-vae`): procedural clips, rendered pairs, a plain loop.

The one part of `models` that reads pairs and trains; nothing else imports it.
"""
