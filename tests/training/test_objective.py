"""The velocity loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from void.composition import compose_config
from void.data.dataset import Batch
from void.diffusion import Schedule
from void.models.build import build_scheduler
from void.training.objective import velocity_loss

SHAPE = (2, 2, 16, 4, 6)


class Recorder(nn.Module):
    """Answers with a fixed velocity and remembers what it was given."""

    def __init__(self, velocity_BTCHW: Tensor) -> None:
        super().__init__()
        self.velocity_BTCHW = velocity_BTCHW
        self.given: dict[str, Any] = {}

    def forward(self, **given: Any) -> tuple[Tensor]:
        self.given = given
        return (self.velocity_BTCHW,)


def random_batch() -> Batch:
    draws = torch.Generator().manual_seed(0)
    latents = [torch.randn(SHAPE, generator=draws) for _ in range(3)]
    return Batch(*latents, torch.randn(2, 7, 8, generator=draws))


def test_the_loss_is_the_squared_error_of_the_velocity() -> None:
    schedule = Schedule(build_scheduler(compose_config([]).model))
    batch, noise = random_batch(), torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    t_B = torch.tensor([999, 400])
    true_velocity = schedule.velocity(batch.target_BTCHW, noise, t_B)
    off_by = torch.zeros(SHAPE)
    off_by[1] = 0.5
    model = Recorder(true_velocity + off_by)
    tables = (torch.zeros(1), torch.zeros(1))
    loss_B = velocity_loss(model, schedule, batch, noise, t_B, tables)
    torch.testing.assert_close(loss_B, torch.tensor([0.0, 0.25]))
    given_BTCHW = model.given["hidden_states"]
    # At the last timestep nothing of the target is left: the input is the noise, and the answer minus the target.
    torch.testing.assert_close(given_BTCHW[0, :, :16], noise[0])
    torch.testing.assert_close(true_velocity[0], -batch.target_BTCHW[0])
    torch.testing.assert_close(given_BTCHW[:, :, 16:32], batch.mask_BTCHW)
    torch.testing.assert_close(given_BTCHW[:, :, 32:], batch.input_BTCHW)
    assert model.given["encoder_hidden_states"] is batch.text_BLD or torch.equal(
        model.given["encoder_hidden_states"], batch.text_BLD
    )


def test_the_loss_is_float32_whatever_the_transformer_computes_in() -> None:
    schedule = Schedule(build_scheduler(compose_config([]).model))
    model = Recorder(torch.zeros(SHAPE, dtype=torch.bfloat16))
    tables = (torch.zeros(1), torch.zeros(1))
    loss_B = velocity_loss(
        model, schedule, random_batch(), torch.randn(SHAPE), torch.tensor([0, 10]), tables, torch.bfloat16
    )
    assert loss_B.dtype == torch.float32
    assert model.given["hidden_states"].dtype == torch.bfloat16
