"""The velocity form of diffusion, and its agreement with the sampler."""

from __future__ import annotations

import torch
from diffusers import DDIMScheduler
from golden_models import model_config
from rounding import ELEMENTWISE, Arithmetic, assert_same

from void.diffusion import Schedule
from void.models.build import build_scheduler

SHAPE = (4, 2, 16, 2, 2)
TIMES = torch.tensor([0, 1, 500, 999])


def schedule() -> Schedule:
    return Schedule(build_scheduler(model_config()))


def samples() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(SHAPE, generator=generator), torch.randn(SHAPE, generator=generator)


def test_last_level_has_zero_signal() -> None:
    assert schedule().alphas_cumprod[-1] == 0
    x0, noise = samples()
    last = torch.full((4,), 999)
    assert torch.equal(schedule().add_noise(x0, noise, last), noise)
    assert torch.equal(schedule().velocity(x0, noise, last), -x0)


def test_velocity_gives_the_sample_back() -> None:
    x0, noise = samples()
    noisy, velocity = schedule().add_noise(x0, noise, TIMES), schedule().velocity(x0, noise, TIMES)
    assert_same(schedule().x0_from_velocity(noisy, velocity, TIMES), x0, ELEMENTWISE)


def test_agrees_with_diffusers() -> None:
    x0, noise = samples()
    scheduler = build_scheduler(model_config())
    assert_same(schedule().add_noise(x0, noise, TIMES), scheduler.add_noise(x0, noise, TIMES), ELEMENTWISE)
    assert_same(schedule().velocity(x0, noise, TIMES), scheduler.get_velocity(x0, noise, TIMES), ELEMENTWISE)


def test_low_precision_inputs_keep_their_noise_levels_apart() -> None:
    x0 = torch.zeros(50, 1, dtype=torch.bfloat16)
    noise = torch.ones(50, 1, dtype=torch.bfloat16)
    levels = schedule().add_noise(x0, noise, torch.arange(50))
    assert levels.dtype == torch.float32 and len(levels.unique()) == 50 and levels[0] > 0


def bfloat16_levels() -> torch.Tensor:
    """Noise in samples of zeros and noise of ones, at each training step."""
    process = Schedule(build_scheduler(model_config()), torch.bfloat16)
    steps = torch.arange(process.num_train_timesteps)
    return process.add_noise(torch.zeros(len(steps), 1), torch.ones(len(steps), 1), steps).flatten()


def test_the_released_schedule_has_no_noise_at_first_and_14_levels_among_50() -> None:
    levels = bfloat16_levels()
    assert levels.dtype == torch.float32
    assert (levels[:2] == 0).all() and (levels[2:] > 0).all()
    assert len(levels[:50].unique()) == 14
    assert levels[-1] == 1


def test_the_released_schedule_is_that_of_diffusers_with_bfloat16_samples() -> None:
    scheduler, steps = build_scheduler(model_config()), torch.arange(1000)
    zeros, ones = torch.zeros(1000, 1, dtype=torch.bfloat16), torch.ones(1000, 1, dtype=torch.bfloat16)
    assert torch.equal(bfloat16_levels(), scheduler.add_noise(zeros, ones, steps).float().flatten())
    process = Schedule(scheduler, torch.bfloat16)
    assert torch.equal(process.velocity(zeros, ones, steps), scheduler.get_velocity(zeros, ones, steps).float())


def test_a_perfect_velocity_samples_the_clean_clip() -> None:
    x0, noise = samples()
    scheduler: DDIMScheduler = build_scheduler(model_config())
    scheduler.set_timesteps(10)
    latents, process = noise, schedule()
    for timestep in scheduler.timesteps:
        t = timestep.expand(len(latents))
        signal = process.alphas_cumprod[timestep]
        implied_noise = (latents - signal.sqrt() * x0) / (1 - signal).sqrt()
        latents = scheduler.step(process.velocity(x0, implied_noise, t), timestep, latents).prev_sample
    # The last step divides by the least noise.
    least = (1 - process.alphas_cumprod[scheduler.timesteps[-1]]).sqrt()
    assert_same(latents, x0, Arithmetic(10 * ELEMENTWISE.depth, terms=1, gain=1 / float(least)))
