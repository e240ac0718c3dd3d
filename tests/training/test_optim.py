"""Optimisers and the learning rate."""

from __future__ import annotations

import pytest
import torch
from came_pytorch import CAME

from void.training.config import LrSchedule, Optimizer, TrainingConfig
from void.training.optim import build_optimizer, learning_rate


def test_cosine_with_warm_up_spans_the_run_and_wastes_no_step() -> None:
    rate = learning_rate(TrainingConfig(steps=100, learning_rate=1e-3, lr_schedule=LrSchedule.cosine, warmup_steps=10))
    rates = [rate(step) for step in range(1, 101)]
    assert rates[0] == pytest.approx(1e-4)
    assert max(rates) == rates[9] == pytest.approx(1e-3)
    assert rates[54] == pytest.approx(0.5e-3, rel=0.03)
    assert 0 < rates[-1] < 1e-6


@pytest.mark.parametrize("schedule", [LrSchedule.cosine, LrSchedule.cosine_with_restarts])
def test_a_horizon_per_process_hardly_decays(schedule: LrSchedule) -> None:
    cfg = TrainingConfig(steps=7980, learning_rate=1e-5, lr_schedule=schedule, warmup_steps=50)
    rate = learning_rate(cfg, horizon=8)
    assert rate(25) == pytest.approx(0.5e-5) and rate(50) == pytest.approx(1e-5)
    assert rate(7980) == pytest.approx(0.962e-5, abs=0.001e-5)
    assert learning_rate(cfg)(7980) < 1e-9


@pytest.mark.parametrize(("name", "kind"), [(Optimizer.adamw, torch.optim.AdamW), (Optimizer.came, CAME)])
def test_optimisers_take_their_numbers_from_the_configuration(name: Optimizer, kind: type) -> None:
    weight = torch.nn.Parameter(torch.ones(3, 3))
    cfg = TrainingConfig(steps=1, optimizer=name, learning_rate=1e-2, weight_decay=0.5, adam_betas=(0.8, 0.95))
    optimizer = build_optimizer(cfg, [weight])
    assert isinstance(optimizer, kind)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"], tuple(group["betas"][:2])) == (1e-2, 0.5, (0.8, 0.95))
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    assert (weight < 1).all()
