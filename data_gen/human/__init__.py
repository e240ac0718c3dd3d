"""Human-motion scenes: a person handles objects; without the person, what they held falls.

Motions come from HUMOTO's files, glTF, BVH or the embedded procedural source, all as a `motion.Motion`. The factual
world is played back, the counterfactual one simulated; views, quadmask, acceptance, captions are `data_gen.scene`'s.
"""
