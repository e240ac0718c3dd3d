"""Degradation: warped noise mixed with fresh noise, so that training sees imperfect correlation.

    n' = ((1 - g) n + g z) / sqrt((1 - g)^2 + g^2),   z ~ N(0, 1)

has unit variance for every g (Burgert et al., CVPR 2025). The released code's numerator is sqrt(1 - g) n + sqrt(g) z
over the same denominator, whose standard deviation grows to 1.313 at g = 0.3 and 1.414 at g = 0.5.
"""

from __future__ import annotations

from torch import Tensor

from void.recipe import Degradation


def degrade(noise: Tensor, fresh: Tensor, gamma: Tensor, formula: Degradation = Degradation.unit_variance) -> Tensor:
    """Mix fresh noise into warped noise.

    Args:
        noise: `(B, ...)`, of unit variance.
        fresh: the same shape, independent, of unit variance.
        gamma: `(B,)`, in [0, 1]: 0 keeps the noise, 1 replaces it.
        formula: unit_variance, or the released one.
    """
    g = gamma.view(-1, *[1] * (noise.ndim - 1))
    norm = ((1 - g).square() + g.square()).sqrt()
    if formula is Degradation.released:
        return ((1 - g).sqrt() * noise + g.sqrt() * fresh) / norm
    return ((1 - g) * noise + g * fresh) / norm
