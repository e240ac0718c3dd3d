"""Muon: momentum whose every matrix update is made (nearly) orthogonal.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024). Brightness dominates an
autoencoder's gradients; equalising the singular values of each update lets colour and detail be learned at once.
torch.optim.Muon takes matrices only; this one flattens convolutions to (output channels, rest).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

# Coefficients of the quintic iteration, and how often it is applied (from the source above).
QUINTIC = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """For weights of two or more dimensions.

    Args:
        params: the weights.
        lr: length of a step, in units of an orthogonal matrix.
        momentum: decay of the averaged gradient (Nesterov form).
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float, momentum: float = 0.9) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One update from the gradients present."""
        for group in self.param_groups:
            momentum = group["momentum"]
            for weight in group["params"]:
                average = self.state[weight].setdefault("average", torch.zeros_like(weight))
                average.lerp_(weight.grad, 1 - momentum)
                update = orthogonal(weight.grad.lerp(average, momentum).flatten(1))
                rows, columns = update.shape
                weight.add_(update.view_as(weight), alpha=-group["lr"] * max(1, rows / columns) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix with the singular vectors of `matrix` and singular values of about 1 (0.7 to 1.2)."""
    a, b, c = QUINTIC
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if is_tall else matrix) / (matrix.norm() + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if is_tall else x
