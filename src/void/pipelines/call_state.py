"""The state of a call that diffusers' callbacks, caches and users read and change while it runs."""

from __future__ import annotations

from typing import Any

from torch import Tensor


class CallState:
    """Properties that diffusers' pipelines share, with the attributes behind them, which callbacks may set."""

    _guidance_scale: float = 1.0
    _num_timesteps: int = 0
    _current_timestep: Tensor | None = None
    _interrupt: bool = False
    _attention_kwargs: dict[str, Any] | None = None

    @property
    def guidance_scale(self) -> float:
        """Weight of guidance in the present or last call; a callback changes it by `_guidance_scale`."""
        return self._guidance_scale

    @property
    def num_timesteps(self) -> int:
        """Steps of the present or last call, as many as the scheduler takes."""
        return self._num_timesteps

    @property
    def current_timestep(self) -> Tensor | None:
        """The timestep that is being denoised; None between calls."""
        return self._current_timestep

    @property
    def attention_kwargs(self) -> dict[str, Any] | None:
        """Options of the present or last call for the attention."""
        return self._attention_kwargs

    @property
    def interrupt(self) -> bool:
        """Whether the remaining steps are left out; a callback sets it by `_interrupt`."""
        return self._interrupt
