"""Schedulers besides DDIM: those that are taken reach the clip that a perfect network describes; others are refused."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import diffusers
import pytest
import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from pipelines.small_pipeline import LATENTS, build, clip, seeded
from torch import Tensor, nn

from void.composition import compose_config
from void.errors import InputError
from void.pipelines import denoising
from void.pipelines.denoising import Denoiser
from void.pipelines.schedulers import SCHEDULERS, SchedulerStep, check_scheduler, noise_levels
from void.pipelines.void_pipeline import VoidPipeline
from void.pipelines.windows import latent_window

STEPS = 20
SHAPE = (2, 10, 16, 2, 2)
# What needs no zero-SNR schedule to be reached; the tiny model's schedule has one.
ZERO_SNR = {
    "CogVideoXDDIMScheduler",
    "CogVideoXDPMScheduler",
    "DDIMParallelScheduler",
    "DDIMScheduler",
    "DDPMParallelScheduler",
    "DDPMScheduler",
    "DPMSolverMultistepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "UniPCMultistepScheduler",
}


class Oracle(nn.Module):
    """Knows the clean latents (channels 16 to 31 of its input) and the schedule, so it predicts the true velocity."""

    def __init__(self, levels: Tensor) -> None:
        super().__init__()
        self._levels = levels.double()
        self.dtype = torch.float32
        self.config = SimpleNamespace(num_layers=0)

    def cache_context(self, name: str) -> Any:
        return torch.no_grad()

    def forward(self, hidden_states: Tensor, timestep: Tensor, **_: Any) -> tuple[Tensor]:
        noisy, clean = hidden_states[:, :, :16].double(), hidden_states[:, :, 16:32].double()
        low = int(timestep[0])
        share = float(timestep[0]) - low
        ends = self._levels[[low, min(low + 1, len(self._levels) - 1)]].clamp_min(1e-9).log()
        level = self._levels[low] if share == 0 else ((1 - share) * ends[0] + share * ends[1]).exp()
        noise = (noisy - level.sqrt() * clean) / (1 - level).sqrt()
        return ((level.sqrt() * noise - (1 - level).sqrt() * clean).float(),)


def trained(zero_snr: bool = True) -> DDIMScheduler:
    settings = compose_config(["model=tiny"]).model.scheduler
    return DDIMScheduler(**(settings | {"rescale_betas_zero_snr": zero_snr}))


def made_from(name: str, scheduler: DDIMScheduler) -> Any:
    kind = getattr(diffusers, name)
    shifts = "snr_shift_scale" in inspect.signature(kind.__init__).parameters
    return kind.from_config(scheduler.config, **({"snr_shift_scale": 1.0} if shifts else {}))


def sample(scheduler: Any, levels: Tensor, monkeypatch: pytest.MonkeyPatch, **windows: Any) -> tuple[Tensor, Tensor]:
    """Clean latents, and what the scheduler makes of noise with a network that knows them."""
    clean = torch.randn(SHAPE, generator=seeded(0))
    scheduler.set_timesteps(STEPS)
    latents = torch.randn(SHAPE, generator=seeded(1)) * scheduler.init_noise_sigma
    monkeypatch.setattr(denoising, "rotary_tables", lambda *_: None)
    window, overlap = latent_window(*windows.pop("frames", (37, 0)))
    step = SchedulerStep(scheduler, [seeded(2), seeded(3)])
    condition = torch.cat([clean, torch.zeros(SHAPE)], dim=2)
    denoiser = Denoiser(Oracle(levels), step, condition, window=window, overlap=overlap, **windows)
    for timestep in scheduler.timesteps:
        latents = denoiser.step(latents, timestep, torch.zeros(2, 1, 1), 1.0)
    return clean, latents


@pytest.mark.parametrize("frames", [(37, 0), (13, 8)], ids=["whole", "windows"])
@pytest.mark.parametrize("name", sorted(ZERO_SNR))
def test_schedulers_reach_the_clip(name: str, frames: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = made_from(name, trained())
    check_scheduler(scheduler, noise_levels(trained()))
    clean, result = sample(scheduler, trained().alphas_cumprod, monkeypatch, frames=frames, windows_per_batch=2)
    assert (result - clean).abs().max() < 1e-4


@pytest.mark.parametrize("name", sorted({one.__name__ for one in SCHEDULERS} - ZERO_SNR))
def test_schedulers_without_zero_snr_take_other_models_only(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=f"{name} has other noise levels") as refused:
        check_scheduler(made_from(name, trained()), noise_levels(trained()))
    assert "rescale_betas_zero_snr" in refused.value.remedy
    usual = trained(zero_snr=False)
    scheduler = made_from(name, usual)
    check_scheduler(scheduler, noise_levels(usual))
    clean, result = sample(scheduler, usual.alphas_cumprod, monkeypatch, frames=(13, 8))
    # The last of these steps ends at the lowest noise level, not at none.
    assert (result - clean).abs().max() < 0.2


def test_every_accepted_class_is_tested() -> None:
    assert {one.__name__ for one in SCHEDULERS} >= ZERO_SNR


@pytest.fixture(scope="module")
def pipeline() -> VoidPipeline:
    return build()


@pytest.mark.parametrize("name", ["DPMSolverMultistepScheduler", "UniPCMultistepScheduler"])
def test_a_scheduler_is_really_used(pipeline: VoidPipeline, name: str) -> None:
    other = VoidPipeline(**pipeline.components)
    other.set_progress_bar_config(disable=True)
    other.scheduler = made_from(name, pipeline.scheduler)
    call = LATENTS | {"num_inference_steps": 4, "window_frames": 13, "overlap_frames": 8} | clip(frames=21)
    plain, result, again, together = (
        pipe(**call, generator=seeded(1), windows_per_batch=most).frames
        for pipe, most in ((pipeline, 1), (other, 1), (other, 1), (other, 3))
    )
    assert torch.equal(result, again) and not torch.allclose(result, plain, atol=1e-3)
    torch.testing.assert_close(together, result, atol=1e-4, rtol=0)


def test_euler_is_ddim_in_other_coordinates(pipeline: VoidPipeline) -> None:
    """It scales its input and its noise, so a pipeline that did neither would be far off."""
    other = VoidPipeline(**pipeline.components)
    other.set_progress_bar_config(disable=True)
    other.scheduler = made_from("EulerDiscreteScheduler", pipeline.scheduler)
    call = LATENTS | {"num_inference_steps": 4, "window_frames": 13, "overlap_frames": 8} | clip(frames=21)
    ddim, euler = (pipe(**call, generator=seeded(1)).frames for pipe in (pipeline, other))
    # Its last noise level keeps 2^-24 of the clip where DDIM's has none, and its noise begins at a scale of 4096.
    torch.testing.assert_close(euler, ddim, atol=5e-3, rtol=0)


def test_noise_of_a_scheduler_comes_from_each_clips_generator(pipeline: VoidPipeline) -> None:
    ancestral = VoidPipeline(**pipeline.components)
    ancestral.set_progress_bar_config(disable=True)
    ancestral.scheduler = made_from("EulerAncestralDiscreteScheduler", pipeline.scheduler)
    call = LATENTS | {"num_inference_steps": 4} | clip()
    together = ancestral(**call, generator=[seeded(1), seeded(2)]).frames
    alone, other = (ancestral(**call, generator=seeded(seed)).frames for seed in (2, 3))
    torch.testing.assert_close(together[1:], alone, atol=1e-4, rtol=0)
    assert not torch.allclose(alone, other, atol=1e-3)


def test_schedulers_that_do_not_fit_are_refused_by_name(pipeline: VoidPipeline) -> None:
    other = VoidPipeline(**pipeline.components)
    other.scheduler = FlowMatchEulerDiscreteScheduler()
    with pytest.raises(InputError, match="FlowMatchEulerDiscreteScheduler cannot sample") as refused:
        other(**LATENTS, **clip())
    assert "UniPCMultistepScheduler" in refused.value.remedy
    other.scheduler = diffusers.CogVideoXDPMScheduler.from_config(pipeline.scheduler.config)
    with pytest.raises(InputError, match="CogVideoXDPMScheduler has other noise levels") as refused:
        other(**LATENTS, **clip())
    assert "snr_shift_scale=1.0" in refused.value.remedy
    other.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config, num_train_timesteps=500)
    with pytest.raises(InputError, match="500 noise levels, the weights have 1000"):
        other(**LATENTS, **clip())


def test_another_reading_of_the_output_is_reported(pipeline: VoidPipeline, caplog: pytest.LogCaptureFixture) -> None:
    other = VoidPipeline(**pipeline.components)
    other.set_progress_bar_config(disable=True)
    other.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config, prediction_type="epsilon")
    other(**LATENTS, **clip())
    assert "reads the network's output as 'epsilon'" in caplog.text
