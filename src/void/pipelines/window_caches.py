"""The memory of diffusers' step caches, kept apart for each temporal window.

A step cache compares a forward pass with the one before it. With several windows the one before is another window's, so
each window (or batch of windows) gets a memory of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from diffusers import CogVideoXTransformer3DModel
from diffusers.hooks import HookRegistry
from diffusers.hooks.faster_cache import FasterCacheDenoiserHook
from diffusers.hooks.hooks import ModelHook

from void.errors import InputError


class WindowCaches:
    """Step caches of a transformer while one clip, or batch of clips, is sampled.

    Args:
        transformer: The network, with or without a step cache. What an interrupted call left in its cache is dropped.
    """

    def __init__(self, transformer: CogVideoXTransformer3DModel) -> None:
        self._transformer = transformer
        registry = HookRegistry.check_if_exists_or_initialize(transformer)
        # Caches that were put on without `enable_cache` are not in the list that diffusers keeps.
        registry.invalidate_child_registries_cache()
        registry.reset_stateful_hooks()
        hooks = [hook for module in transformer.modules() for hook in _stateful_hooks(module)]
        self._hooks = [hook for hook in hooks if hasattr(hook, "state")]
        self._splits_guidance = any(
            isinstance(hook, FasterCacheDenoiserHook) and not hook.is_guidance_distilled for hook in hooks
        )
        self._states: dict[str, list[Any]] = {}

    def check_guidance(self, is_guided: bool) -> None:
        """Raise InputError where the cache takes the batch for two halves of guidance, and there are none."""
        if self._splits_guidance and not is_guided:
            raise InputError(
                "FasterCache estimates guidance's unconditional half, but guidance_scale = 1 has none",
                "use FasterCacheConfig(is_guidance_distilled=True), another cache, or a guidance_scale above 1",
            )

    @contextlib.contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Forward passes inside use the memory that belongs to `name`, a window or batch of windows."""
        if self._hooks:
            if name not in self._states:
                # The first name keeps the states that diffusers made, where its own tools look for them.
                fresh = [type(hook.state)() if self._states else hook.state for hook in self._hooks]
                self._states[name] = fresh
            for hook, state in zip(self._hooks, self._states[name], strict=True):
                hook.state = state
        with self._transformer.cache_context(name):
            yield


def _stateful_hooks(module: Any) -> list[ModelHook]:
    registry = getattr(module, "_diffusers_hook", None)
    return [] if registry is None else [hook for hook in registry.hooks.values() if hook._is_stateful]
