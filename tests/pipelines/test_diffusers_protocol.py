"""VoidPipeline as code written for diffusers calls it: inputs, outputs, state, callbacks, saving."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.callbacks import SDCFGCutoffCallback
from diffusers.utils import export_to_video, load_video
from PIL import Image
from pipelines.small_pipeline import CALL, FRAMES, HEIGHT, LATENTS, WIDTH, build, clip, seeded
from pipelines.user_clips import write_clip

from void.errors import InputError
from void.models.text import encode_text
from void.pipelines.void_pipeline import VoidPipeline, VoidPipelineOutput
from void.recipe import VideoResize
from void.resize import resize_frames


@pytest.fixture(scope="module")
def pipeline() -> VoidPipeline:
    return build()


def images(pixels: dict[str, Any]) -> dict[str, Any]:
    """The same clip and mask as lists of PIL images."""
    grey_THW = pixels["quadmask"].pack()
    return {
        "video": [Image.fromarray(frame) for frame in pixels["video"]],
        "quadmask": [Image.fromarray(frame).convert("RGB") for frame in grey_THW],
    }


def test_images_in_and_images_out(pipeline: VoidPipeline, tmp_path) -> None:
    expected = pipeline(**CALL, **clip(), generator=seeded(1)).frames
    result = pipeline(**CALL, **images(clip()), generator=seeded(1), output_type="pil").frames
    assert len(result) == 1 and len(result[0]) == FRAMES
    assert all(isinstance(frame, Image.Image) and frame.size == (WIDTH, HEIGHT) for frame in result[0])
    assert np.array_equal(np.stack([np.asarray(frame) for frame in result[0]]), expected[0])
    file = export_to_video(result[0], str(tmp_path / "result.mp4"), fps=8)
    assert len(load_video(file)) == FRAMES


@pytest.mark.parametrize(
    "form",
    [
        lambda one: {"video": list(one["video"]), "quadmask": one["quadmask"].pack()},
        lambda one: {"video": one["video"][None], "quadmask": list(one["quadmask"].pack())},
        lambda one: {"video": [one["video"]], "quadmask": [one["quadmask"]]},
        lambda one: {"video": one["video"], "quadmask": np.repeat(one["quadmask"].pack()[..., None], 3, axis=-1)},
        lambda one: {
            "video": images(one)["video"],
            "quadmask": [image.convert("L") for image in images(one)["quadmask"]],
        },
    ],
)
def test_other_forms_of_one_clip(pipeline: VoidPipeline, form: Any) -> None:
    expected = pipeline.encode_condition(**clip())
    for ours, theirs in zip(pipeline.encode_condition(**form(clip())), expected, strict=True):
        assert torch.equal(ours, theirs)


def test_a_batch_is_a_list_of_clips(pipeline: VoidPipeline) -> None:
    pixels = [clip(seed) for seed in (0, 1)]
    lists = [images(one) for one in pixels]
    together = pipeline(
        ["a floor", "a wall"],
        video=[one["video"] for one in lists],
        quadmask=[one["quadmask"] for one in lists],
        generator=[seeded(1), seeded(2)],
        num_inference_steps=2,
        output_type="latent",
    ).frames
    assert len(together) == 2
    alone = pipeline(**(LATENTS | {"prompt": "a wall"}), **pixels[1], generator=seeded(2)).frames
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_several_texts_or_generators_for_one_clip(pipeline: VoidPipeline, sigma: float) -> None:
    noisy = VoidPipeline(**pipeline.components, conditioning_sigma=sigma)
    noisy.set_progress_bar_config(disable=True)
    texts = noisy(**(LATENTS | {"prompt": ["a floor", "a wall"]}), **clip(), generator=[seeded(1), seeded(2)]).frames
    seeds = noisy(**LATENTS, **clip(), generator=[seeded(1), seeded(2)]).frames
    for result, prompt, seed in ((texts[1], "a wall", 2), (seeds[1], "a floor", 2), (seeds[0], "a floor", 1)):
        alone = noisy(**(LATENTS | {"prompt": prompt}), **clip(), generator=seeded(seed)).frames
        torch.testing.assert_close(result[None], alone, atol=1e-5, rtol=0)


def test_several_videos_a_prompt_are_neighbours(pipeline: VoidPipeline) -> None:
    pixels = [clip(seed) for seed in (0, 1)]
    both = {name: [one[name] for one in pixels] for name in ("video", "quadmask")}
    call = {"prompt": ["a floor", "a wall"], "negative_prompt": ["dust", "mud"], "guidance_scale": 3.0}
    result = pipeline(
        **(LATENTS | call), **both, num_videos_per_prompt=2, generator=[seeded(seed) for seed in range(4)]
    ).frames
    assert len(result) == 4
    third = {"prompt": "a wall", "negative_prompt": "mud", "guidance_scale": 3.0}
    alone = pipeline(**(LATENTS | third), **pixels[1], generator=seeded(2)).frames
    torch.testing.assert_close(result[2:3], alone, atol=1e-5, rtol=0)


def test_a_given_size_is_stretched_to(pipeline: VoidPipeline) -> None:
    large = clip(height=64, width=48)
    (result,) = pipeline(**CALL, **large, height=HEIGHT, width=WIDTH, generator=seeded(1)).frames
    assert result.shape == (FRAMES, HEIGHT, WIDTH, 3)
    by_hand = {
        "video": resize_frames(large["video"], HEIGHT, WIDTH, VideoResize.area),
        "quadmask": large["quadmask"].resize(HEIGHT, WIDTH),
    }
    (expected,) = pipeline(**CALL, **by_hand, generator=seeded(1)).frames
    assert np.array_equal(result, expected)


def test_a_tuple_in_place_of_the_output(pipeline: VoidPipeline) -> None:
    output = pipeline(**LATENTS, **clip(), generator=seeded(1))
    as_tuple = pipeline(**LATENTS, **clip(), generator=seeded(1), return_dict=False)
    assert isinstance(output, VoidPipelineOutput) and isinstance(as_tuple, tuple) and len(as_tuple) == 1
    assert torch.equal(as_tuple[0], output.frames) and torch.equal(output[0], output.frames)


def test_the_state_of_a_call_can_be_read(pipeline: VoidPipeline) -> None:
    seen = []

    def look(pipe: VoidPipeline, index: int, timestep: torch.Tensor, tensors: dict[str, Any]) -> dict[str, Any]:
        seen.append((int(pipe.current_timestep), int(timestep), pipe.guidance_scale, pipe.interrupt))
        return {}

    scale = {"scale": 1.0}
    pipeline(**LATENTS, **clip(), guidance_scale=3.0, callback_on_step_end=look, attention_kwargs=scale)
    assert seen == [(999, 999, 3.0, False), (499, 499, 3.0, False)]
    assert pipeline.num_timesteps == 2 and pipeline.guidance_scale == 3.0 and pipeline.attention_kwargs == scale
    assert pipeline.current_timestep is None


def test_a_callback_can_interrupt(pipeline: VoidPipeline) -> None:
    kept = []

    def stop(pipe: VoidPipeline, index: int, timestep: torch.Tensor, tensors: dict[str, Any]) -> dict[str, Any]:
        kept.append(tensors["latents"].clone())
        pipe._interrupt = index == 1
        return tensors

    call = LATENTS | {"num_inference_steps": 4}
    result = pipeline(**call, **clip(), generator=seeded(1), callback_on_step_end=stop).frames
    assert len(kept) == 2 and torch.equal(result, kept[1])
    again = pipeline(**call, **clip(), generator=seeded(1)).frames
    assert not pipeline.interrupt and not torch.allclose(again, result, atol=1e-3)


def test_a_callback_changes_guidance(pipeline: VoidPipeline) -> None:
    def set_scale(scale: float) -> Any:
        def change(pipe: VoidPipeline, index: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            pipe._guidance_scale = scale
            return tensors

        return change

    call = LATENTS | {"num_inference_steps": 1, "guidance_scale": 2.0}
    plain = pipeline(**call, **clip(), generator=seeded(1), callback_on_step_end=set_scale(2.0)).frames
    changed = pipeline(**call, **clip(), generator=seeded(1), callback_on_step_end=set_scale(5.0)).frames
    # It comes after the only step.
    assert torch.equal(changed, plain)
    call["num_inference_steps"] = 2
    plain = pipeline(**call, **clip(), generator=seeded(1)).frames
    changed = pipeline(**call, **clip(), generator=seeded(1), callback_on_step_end=set_scale(5.0)).frames
    assert not torch.allclose(changed, plain, atol=1e-4)


def test_guidance_can_be_cut_off(pipeline: VoidPipeline) -> None:
    """diffusers' own callback drops the unconditional text and sets the scale to 0."""
    rows = []
    hook = pipeline.transformer.register_forward_pre_hook(
        lambda module, args, kwargs: rows.append(len(kwargs["hidden_states"])), with_kwargs=True
    )
    pipeline(
        **(LATENTS | {"num_inference_steps": 4, "guidance_scale": 3.0}),
        **clip(),
        callback_on_step_end=SDCFGCutoffCallback(cutoff_step_ratio=0.5),
    )
    hook.remove()
    assert rows == [2, 2, 2, 1]


def test_texts_of_a_callback_are_counted(pipeline: VoidPipeline) -> None:
    def break_it(pipe: Any, index: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"prompt_embeds": tensors["prompt_embeds"].repeat(3, 1, 1)}

    names = ["latents", "prompt_embeds"]
    with pytest.raises(InputError, match="the callback returned 3 texts for 1 results"):
        pipeline(**LATENTS, **clip(), callback_on_step_end=break_it, callback_on_step_end_tensor_inputs=names)


def test_without_its_text_encoder(pipeline: VoidPipeline, tmp_path) -> None:
    """Texts first, then the encoder goes, and what is saved is a pipeline without it."""
    made = build()
    limit = made.transformer.config.max_text_seq_length
    embeds = {
        f"{name}_embeds": encode_text([text], made.tokenizer, made.text_encoder, limit)
        for name, text in (("prompt", "a floor"), ("negative_prompt", "dust"))
    }
    call = {"num_inference_steps": 2, "guidance_scale": 3.0, "output_type": "latent"}
    expected = made("a floor", negative_prompt="dust", **call, **clip(), generator=seeded(1)).frames
    made.tokenizer, made.text_encoder = None, None
    bare = made(prompt=None, negative_prompt=None, **embeds, **call, **clip(), generator=seeded(1)).frames
    assert torch.equal(bare, expected)
    made.save_pretrained(tmp_path / "bare")
    assert not (tmp_path / "bare" / "text_encoder").exists()
    loaded = VoidPipeline.from_pretrained(tmp_path / "bare")
    loaded.set_progress_bar_config(disable=True)
    assert loaded.text_encoder is None and loaded.tokenizer is None
    assert torch.equal(loaded(**embeds, **call, **clip(), generator=seeded(1)).frames, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"video": []}, "video is an empty list"),
        ({"video": "clip.mp4"}, "video is a str"),
        ({"video": [Image.new("RGB", (48, 32)), Image.new("RGB", (32, 32))]}, "frames of video differ"),
        ({"video": [[clip()["video"]]], "quadmask": [[clip()["quadmask"]]]}, None),
        ({"video": [clip()["video"][None].repeat(2, 0)]}, "list of batches"),
        ({"quadmask": np.zeros((5, 32, 48), bool)}, "give void.quadmask.Quadmask"),
        ({"quadmask": np.full((5, 32, 48), 40, np.uint8)}, "grey values other than 0, 63, 127, 255: 40"),
        ({"quadmask": [clip()["quadmask"]] * 2}, "2 masks for 1 clips"),
        (
            {
                "video": [clip()["video"], clip(frames=13)["video"]],
                "quadmask": [clip()["quadmask"], clip(frames=13)["quadmask"]],
            },
            "clips of one batch are 5 x 32 x 48 and 13 x 32 x 48",
        ),
        (
            {"video": [clip()["video"]] * 2, "quadmask": [clip()["quadmask"]] * 2, "prompt": ["a"] * 3},
            "3 texts for 2 clips",
        ),
        ({"prompt": []}, "prompt is an empty list"),
        ({"prompt": ["a", "b"], "generator": [seeded(0)] * 3}, "3 generators for 2 results"),
        ({"num_videos_per_prompt": 0}, "num_videos_per_prompt = 0"),
        ({"negative_prompt": ["a", "b"], "guidance_scale": 2.0}, "2 texts as negative_prompt, where 1 are needed"),
        ({"height": 40}, "height 40 is not a positive multiple of 16"),
        ({"output_type": "gif"}, "use one of np, pil, pt, latent"),
    ],
)
def test_bad_arguments(pipeline: VoidPipeline, change: dict[str, Any], message: str | None) -> None:
    call = CALL | clip() | {"num_inference_steps": 1} | change
    if message is None:
        assert len(pipeline(**call).frames) == 1
        return
    with pytest.raises(InputError, match=message):
        pipeline(**call)


def test_the_example_of_the_page_runs(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "pipeline.md"
    (example,) = [
        block for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL) if "export_to_video" in block
    ]
    monkeypatch.chdir(tmp_path)
    build().save_pretrained("my-model")
    write_clip(Path("clip"), 7, 48, 64)
    exec(example.replace("height=96, width=128", "height=32, width=48").replace("steps=10", "steps=2"), {})
    assert len(load_video("result.mp4")) == 7
