"""Bounds for comparing two computations of the same floats in another order, taken from the arithmetic.

Another CPU, thread count or batch adds the same numbers in another order. The rounding errors have random signs, so a
sum of n terms moves by about u sqrt(n) of its size, where u is the type's unit roundoff, and d sums one after the
other, such as the layers of a network, by u sqrt(d n). Eight times that is not reached by chance in any of millions of
values (Higham and Mary, "A new approach to probabilistic rounding error analysis", 2019):

    bound = 8 u gain sqrt(d n) max |expected|

The root mean square of all differences has no such tails, so it stays below the same formula without the 8, of the
expected values' own root mean square. The first bound finds a fault in a few values, the second a small one in many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Arithmetic:
    """The sums between the input and the result of a computation.

    Args:
        depth: Number of sums that follow one another: matrix products, convolutions, normalisations.
        terms: Terms of the longest of them.
        gain: Factor by which a formula enlarges the errors of what enters it, such as the weight of guidance.
    """

    depth: int
    terms: int
    gain: float = 1.0

    def bound(self, expected: Tensor) -> float:
        """Largest difference that another order of the sums makes."""
        return 8 * self._relative(expected) * float(expected.abs().max())

    def rms_bound(self, expected: Tensor) -> float:
        """Largest root mean square of the differences that another order of the sums makes."""
        return self._relative(expected) * rms(expected)

    def _relative(self, expected: Tensor) -> float:
        unit_roundoff = torch.finfo(expected.dtype).eps / 2
        return unit_roundoff * self.gain * math.sqrt(self.depth * self.terms)


ELEMENTWISE = Arithmetic(depth=8, terms=1)
"""A formula of a few operations on each element."""
GOLDEN_VAE = Arithmetic(depth=50, terms=27 * 16)
"""The golden VAE, one way: some 20 convolutions of 27 x 16 terms at most, as many normalisations, and the resizing."""
TINY_VAE = Arithmetic(depth=50, terms=27 * 32)
"""The shipped VAE of model=tiny, one way: as the golden one, with 32 channels."""
GOLDEN_FORWARD = Arithmetic(depth=24, terms=128)
"""The golden transformer: in each of 2 blocks 6 matrix products, 2 of attention and 3 normalisations."""
GOLDEN_STEPS = Arithmetic(depth=2 * GOLDEN_FORWARD.depth, terms=GOLDEN_FORWARD.terms)
"""Two steps of the golden transformer."""
GOLDEN_SAMPLING = Arithmetic(depth=GOLDEN_VAE.depth + GOLDEN_STEPS.depth + GOLDEN_VAE.depth, terms=GOLDEN_VAE.terms)
"""A clip sampled in two steps: encoded, denoised and decoded."""


def assert_same(actual: Tensor, expected: Tensor, arithmetic: Arithmetic) -> None:
    """Assert that two tensors are the same but for the order of their sums."""
    torch.testing.assert_close(actual, expected, atol=arithmetic.bound(expected), rtol=0)
    difference, bound = rms(actual - expected), arithmetic.rms_bound(expected)
    assert difference <= bound, f"the differences' root mean square is {difference:.1e}, above {bound:.1e}"


def rms(values: Tensor) -> float:
    """Root mean square."""
    return float(values.double().square().mean().sqrt())
