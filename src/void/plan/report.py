"""The plan on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from void.plan.estimate import InferencePlan, Plan, TrainingPlan
from void.plan.inference import CONTEXT_GIB, ModeMemory
from void.plan.training import TrainingMemory
from void.training.config import DistributedKind

WIDTH = 100
MINUTE, HOUR, DAY = 60, 3600, 86400
MILLION, BILLION = 10**6, 10**9
# Rows of the training table.
TERMS: dict[str, Callable[[TrainingMemory], float]] = {
    "weights": lambda memory: memory.weights,
    "gradients": lambda memory: memory.gradients,
    "optimiser": lambda memory: memory.optimizer,
    "moving average": lambda memory: memory.moving_average,
    "communication buckets": lambda memory: memory.buckets,
    "half-precision casts": lambda memory: memory.casts,
    "activations *": lambda memory: memory.activations,
    "CUDA context *": lambda _: CONTEXT_GIB,
    "validation video *": lambda memory: memory.validation,
}


def show(plan: Plan) -> None:
    """Print the plan."""
    Console(highlight=False, width=WIDTH).print(Group(*_parts(plan)))


def _parts(plan: Plan) -> Iterator[RenderableType]:
    yield _headline(plan)
    if plan.inference is not None:
        yield _networks(plan, plan.inference)
        yield _sampling_memory(plan, plan.inference)
    if plan.training is not None:
        yield _training_memory(plan, plan.training)
    yield _notes(plan)


def _headline(plan: Plan) -> Panel:
    frames, height, width = plan.clip
    latents = plan.latents
    parts: list[str | tuple[str, str]] = [
        (f"{frames} frames of {height} x {width}", "bold"),
        f" = {latents[0]} x {latents[2]} x {latents[3]} latents = ",
        (f"{plan.video_tokens + plan.text_tokens:,} tokens", "bold"),
        f" ({plan.text_tokens} of them text)\n",
    ]
    if plan.inference is not None:
        compute = plan.inference.compute
        passes = compute.steps * compute.branches * len(compute.windows)
        parts += [
            (f"{_tflop(compute.forward)} TFLOP a forward pass", "bold"),
            f"; {passes} passes a clip ({_count(compute.steps, 'step')} x "
            f"{_count(compute.branches, 'guidance branch')} x {_count(len(compute.windows), 'window')})\n",
            (f"{_duration(plan.seconds(compute.total))} a clip", "bold green"),
        ]
    if plan.training is not None:
        parts += [", " if plan.inference is not None else ""]
        parts += [(f"{_duration(plan.seconds(plan.training.tflop))} a training step", "bold green")]
    parts += [
        f", at {plan.mfu:.0%} of the peak {plan.gpu.bf16_tflops:g} TFLOP/s ",
        ("(assumed, not measured)", "italic"),
    ]
    title = f"[bold]{plan.model}[/] {plan.stage} on [bold]{plan.gpu.name}[/] ({plan.gpu.memory_gib:g} GiB)"
    text = Text.assemble(*parts)
    return Panel(text, title=title, title_align="left", width=WIDTH, box=box.ROUNDED, border_style="dim")


def _networks(plan: Plan, inference: InferencePlan) -> Table:
    compute, activations = inference.compute, inference.activations
    table = _table("Sampling one clip", "parameters", "weights GiB", "activations GiB *", "TFLOP", "time")

    def row(name: str, parameters: int | None, weights: str, peak: float, tflop: float) -> None:
        shown = "" if parameters is None else _number(parameters)
        table.add_row(name, shown, weights, _gib(peak), _tflop(tflop), _duration(plan.seconds(tflop)))

    text, vae, transformer = plan.text_encoder, plan.vae, plan.transformer
    both_types = f"{_gib(transformer.gib)} (fp8 {_gib(transformer.fp8_gib)})"
    row("text encoder, one prompt", text.parameters, _gib(text.gib), activations.text, compute.text)
    row("VAE, encoding mask and clip", vae.parameters, _gib(vae.gib), activations.vae.encode, compute.encode)
    row("transformer, every pass", transformer.parameters, both_types, activations.transformer, compute.denoise)
    row("VAE, decoding", None, "", activations.vae.decode, compute.decode)
    table.add_section()
    table.add_row("together", "", "", "", _tflop(compute.total), _duration(plan.seconds(compute.total)), style="bold")
    return table


def _sampling_memory(plan: Plan, inference: InferencePlan) -> Table:
    table = _table("GiB at the peak, by infer.memory *", "text", "encode", "denoise", "decode", "peak", "")
    for mode in inference.modes:
        stages = [mode.text, mode.encode, mode.denoise, mode.decode]
        cells = [f"[bold]{_gib(value)}[/]" if value == mode.peak else _gib(value) for value in stages]
        table.add_row(_mode_name(mode), *cells, _gib(mode.peak), _verdict(mode.peak, plan), end_section=mode.fp8)
    return table


def _training_memory(plan: Plan, training: TrainingPlan) -> Table:
    names = {
        DistributedKind.single: "one GPU",
        DistributedKind.ddp: f"DDP, {_count(training.processes, 'GPU')}",
        DistributedKind.deepspeed: f"ZeRO-{training.zero_stage}, {_count(training.processes, 'GPU')}",
    }
    table = _table("Training, GiB on each GPU", *(names[memory.kind] for memory in training.memory))
    for name, term in TERMS.items():
        values = [term(memory) for memory in training.memory]
        if any(values):
            table.add_row(name, *(_gib(value) if value else "-" for value in values))
    table.add_section()
    peaks = [memory.peak for memory in training.memory]
    table.add_row("peak *", *(_gib(peak) for peak in peaks), style="bold")
    table.add_row("", *(_verdict(peak, plan) for peak in peaks))
    seconds = plan.seconds(training.tflop)
    table.caption = (
        f"A step is {_tflop(training.tflop)} TFLOP a GPU ({training.settings}): "
        f"{_duration(seconds)}; training.steps={training.steps} take {_duration(seconds * training.steps)}."
    )
    table.caption_justify = "left"
    return table


def _notes(plan: Plan) -> Text:
    lines = [
        "Parameters, weights, tokens and TFLOP are exact. * marks estimates: live tensors of eager PyTorch with fused "
        f"attention, without kernels' workspaces, and {CONTEXT_GIB:g} GiB assumed for the CUDA context.",
        f"What fits leaves {plan.margin:.0%} of the {plan.gpu.memory_gib:g} GiB free for what is not counted "
        f"(plan.margin): it needs at most {_gib(plan.room_gib)} GiB. Tight is what needs more, and less than all.",
        f"Times count arithmetic alone: {_not_timed(plan)}.",
    ]
    if plan.inference is not None:
        lines.append("The text encoder runs first and alone.")
    if plan.training is not None:
        lines.append(
            "Training reads latents and texts from the cache; its peak is that of a step, or of a validation video, "
            "when gradients, casts and activations of the step are gone."
        )
    return Text("\n".join([*lines, *plan.warnings]), style="dim")


def _not_timed(plan: Plan) -> str:
    left_out = []
    if plan.inference is not None:
        left_out.append("the transfers of offloading")
    if plan.training is not None:
        left_out.append("communication")
    return f"not {', nor '.join([*left_out, 'reading and writing data'])}"


def _table(title: str, *columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, width=WIDTH, pad_edge=False, caption_style="", header_style="bold cyan")
    table.add_column(title, ratio=1, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _mode_name(mode: ModeMemory) -> str:
    return f"{mode.memory} + fp8" if mode.fp8 else mode.memory.value


def _verdict(peak: float, plan: Plan) -> str:
    if plan.fits(peak):
        return "[green]fits[/]"
    over = peak - plan.gpu.memory_gib
    return f"[red]{_gib(over)} over[/]" if over > 0 else "[yellow]tight[/]"


def _gib(value: float) -> str:
    return f"{value:,.1f}" if value >= 1 else f"{value:.2f}" if value >= 0.01 else "<0.01"


def _tflop(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.1f}" if value >= 1 else f"{value:.2g}"


def _number(value: int) -> str:
    return f"{value / BILLION:.3f} B" if value >= BILLION else f"{value / MILLION:.3g} M"


def _count(value: int, name: str) -> str:
    plural = f"{name}es" if name.endswith("ch") else f"{name}s"
    return f"{value} {name if value == 1 else plural}"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{1000 * seconds:.2g} ms"
    if seconds < 2 * MINUTE:
        return f"{seconds:.3g} s"
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.3g} min"
    return f"{seconds / HOUR:.3g} h" if seconds < 2 * DAY else f"{seconds / DAY:.3g} days"
