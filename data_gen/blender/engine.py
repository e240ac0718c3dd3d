"""Cycles settings that make small pictures quickly, and the same ones on every run."""

from __future__ import annotations

import os
from typing import Any

import bpy

from void.errors import InputError

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
"""Variables that name a display."""
KEPT_LAYER = "CryptoObject00"


def configure(renderer: Any, *, seed: int, view_transform: str, bounces: int, motion_blur: float) -> None:
    """Set the engine up for one thread, a fixed noise pattern and repeated renders of one scene.

    Args:
        renderer: a `kubric.renderer.Blender`.
        seed: of the sampling pattern; the same in all views, so that noise cancels between them.
        view_transform: Blender's name of the curve from light to sRGB.
        bounces: of light, diffuse and glossy.
        motion_blur: shutter time in frames; 0: none. The segmentation stays sharp.
    """
    scene = renderer.blender_scene
    cycles = scene.cycles
    cycles.seed = seed
    cycles.use_animated_seed = False
    cycles.denoising_quality = "FAST"
    # At this size, filtering the denoiser's guides first costs a quarter of the time and shows no difference.
    cycles.denoising_prefilter = "NONE"
    cycles.max_bounces = bounces
    cycles.diffuse_bounces = bounces
    cycles.glossy_bounces = bounces
    cycles.caustics_reflective = False
    cycles.caustics_refractive = False
    scene.render.threads_mode = "FIXED"
    scene.render.threads = 1
    # Keeps the scene and its acceleration structures between frames: seven times faster at this size.
    scene.render.use_persistent_data = True
    scene.render.use_motion_blur = motion_blur > 0
    scene.render.motion_blur_shutter = motion_blur or 0.5
    scene.view_layers["AuxOutputs"].use_motion_blur = False
    scene.view_settings.view_transform = view_transform
    scene.view_settings.look = "None"
    scene.display_settings.display_device = "sRGB"


def use_device(renderer: Any, device: str) -> None:
    """Render on the CPU, or on all GPUs of one of Cycles' interfaces.

    Raises:
        InputError: this machine has no such GPU.
    """
    if device == "cpu":
        return
    preferences = bpy.context.preferences.addons["cycles"].preferences
    try:
        preferences.compute_device_type = device.upper()
    except TypeError:
        found = []
    else:
        preferences.get_devices()
        found = [item for item in preferences.devices if item.type == device.upper()]
    if not found:
        raise InputError(
            f"scene.render.device = {device}, but Blender finds no such GPU here", "use scene.render.device=cpu"
        )
    for item in preferences.devices:
        item.use = item in found
    renderer.blender_scene.cycles.device = "GPU"


def use_eevee(renderer: Any, samples: int) -> None:
    """Rasterise with EEVEE instead of tracing paths, on the GPU of the display.

    Args:
        renderer: a `kubric.renderer.Blender`.
        samples: of a pixel.

    Raises:
        InputError: there is no display. Without one, Blender waits for it for ever.
    """
    if not any(os.environ.get(name) for name in DISPLAYS):
        raise InputError(
            f"scene.renderer = eevee needs a display with a GPU, but neither {' nor '.join(DISPLAYS)} is set",
            "run it in a graphical session, or use scene.renderer=blender (Cycles)",
        )
    scene = renderer.blender_scene
    scene.render.engine = "BLENDER_EEVEE_NEXT"
    scene.eevee.taa_render_samples = samples
    scene.eevee.use_raytracing = True


def only_segmentation(renderer: Any) -> None:
    """Stop Kubric's auxiliary layer from making and storing anything but object ids."""
    scene = renderer.blender_scene
    auxiliary = scene.view_layers["AuxOutputs"]
    auxiliary.use_pass_vector = auxiliary.use_pass_uv = auxiliary.use_pass_normal = False
    auxiliary.aovs.remove(auxiliary.aovs[0])
    scene.view_layers[0].use_pass_z = False
    output = renderer.exr_output_node
    for socket in list(output.inputs):
        if socket.name != KEPT_LAYER:
            output.file_slots.remove(socket)


def focus(camera: Any, *, aperture: float, distance: float) -> None:
    """Give a `bpy.types.Camera` a lens with this f-number, sharp at `distance` metres along its axis."""
    camera.dof.use_dof = True
    camera.dof.aperture_fstop = aperture
    camera.dof.focus_distance = distance


def show_window(scene: Any, window: tuple[int, int, int, int] | None) -> None:
    """Restrict rendering, and the size of the picture, to x0, y0, x1, y1 in pixels from the top left; None: all."""
    render = scene.render
    render.use_border = render.use_crop_to_border = window is not None
    if window is not None:
        x0, y0, x1, y1 = window
        width, height = render.resolution_x, render.resolution_y
        render.border_min_x, render.border_max_x = x0 / width, x1 / width
        render.border_min_y, render.border_max_y = 1 - y1 / height, 1 - y0 / height
