"""Fine-tuning, to be read in one sitting: set up, the loop, one step, checkpoints, validation.

Randomness comes from what it is for: data order from `(seed, epoch)`, a sample from `(seed, epoch, index)`, noise and
timesteps from `(seed, step, micro-batch, process)`. So a continued run equals an uninterrupted one bit for bit on the
same processes.

Shape legend: B batch, T latent frames, C latent channels, H latent rows, W latent columns.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, set_seed
from diffusers import CogVideoXTransformer3DModel
from diffusers.training_utils import EMAModel
from torch.utils.data import DataLoader

from void.cache.noise import NoiseCache, open_noise, with_noise
from void.cache.store import Cache, open_cache
from void.config import VoidConfig
from void.data.dataset import Batch, LatentDataset, collate
from void.data.order import SampleOrder, StepBatches
from void.data.randomness import generator
from void.diffusion import Schedule
from void.errors import InputError
from void.files import remove_partials, write_json
from void.limits import recheck
from void.lock import sole_writer
from void.models.build import DTYPES, build_scheduler, build_transformer
from void.models.checkpoints import CHECKPOINTS, TRANSFORMER, load_transformer, resolve_checkpoint
from void.models.rotary import rotary_tables
from void.pairs import select
from void.progress import progress_bar
from void.recipe import Posterior, Stage
from void.shapes import latent_shape
from void.tracking.metrics_file import MetricsFile
from void.tracking.tracker import NoTracker, Tracker, closing, open_tracker
from void.training import checkpoint
from void.training.checkpoint import TrainerState
from void.training.checks import check_run, launched_processes
from void.training.config import Precision
from void.training.distributed import build_accelerator, shared_folder
from void.training.meter import Meter, StepResult
from void.training.noise import training_noise
from void.training.objective import velocity_loss
from void.training.optim import build_optimizer, learning_rate
from void.training.samples import (
    SAMPLES,
    SAMPLES_KIND,
    check_free,
    discard_after,
    samples_folder,
    step_name,
    validation_owed,
)
from void.training.validation import Validator, summarise

log = logging.getLogger(__name__)


def train(cfg: VoidConfig) -> None:
    """Train up to `cfg.training.steps`, continuing from the newest checkpoint; a finished run returns at once.

    Raises:
        InputError: the cache is missing, the folder holds another run, a value is out of range, the loss stops being
            finite, or a file or folder that training is to write is there and no run wrote it.
    """
    recheck(cfg)
    check_run(cfg)
    if cfg.stage.init_from is not None:
        resolve_checkpoint(cfg.stage.init_from, "stage.init_from")
    logging.getLogger("accelerate").setLevel(logging.WARNING)
    cache = open_cache(cfg)
    noise = open_noise(cfg) if cfg.stage.name is Stage.pass2 else None
    root = Path(cfg.training.root)
    settings = checkpoint.settings_of(cfg, cache.key, None if noise is None else noise.key, launched_processes())
    newest = checkpoint.newest_checkpoint(root)
    if newest is not None:
        state = checkpoint.read_state(newest)
        checkpoint.check_continues(state, settings, cfg.training.steps, newest)
        if state.step == cfg.training.steps and not validation_owed(cfg.training, state.step):
            log.info("training is finished: %s", newest)
            return
    check_free(cfg.training, 0 if newest is None else state.step)
    trainer = Trainer(cfg, cache, settings, build_accelerator(cfg), noise)
    trainer.run(newest)


class Trainer:
    """One run. `run` does everything; the rest are its parts.

    Args:
        cfg: the run.
        cache: its latent cache.
        settings: `checkpoint.settings_of`, kept with every checkpoint.
        accelerator: its processes.
        noise: of pass 2, that moves with each clip; None in pass 1.
    """

    def __init__(
        self,
        cfg: VoidConfig,
        cache: Cache,
        settings: dict[str, Any],
        accelerator: Accelerator,
        noise: NoiseCache | None = None,
    ) -> None:
        self.cfg = cfg
        self.training = cfg.training
        self.root = Path(cfg.training.root)
        self.cache = cache
        self.settings = settings
        self.accelerator = accelerator
        self.rank, self.processes = accelerator.process_index, accelerator.num_processes
        self.is_main = accelerator.is_main_process
        # Only a transformer with dropout draws from the global generator; its state is part of a checkpoint.
        set_seed(cfg.seed, device_specific=True)

        transformer = self._initial_transformer()
        optimizer = build_optimizer(self.training, transformer.parameters())
        self.model, self.optimizer = accelerator.prepare(transformer, optimizer)
        self.transformer: CogVideoXTransformer3DModel = accelerator.unwrap_model(self.model)
        self.ema = self._moving_average()
        self.learning_rate = learning_rate(
            self.training, horizon=self.processes if cfg.recipe.lr_horizon_per_process else 1
        )
        self.schedule = Schedule(build_scheduler(cfg.model), DTYPES[cfg.recipe.schedule_dtype])
        t_lat, _, h_lat, w_lat = latent_shape(cfg.data.frames, cfg.data.height, cfg.data.width)
        self.rotary = rotary_tables(transformer.config, t_lat, h_lat, w_lat, accelerator.device)
        self.dtype = next(self.transformer.parameters()).dtype
        self.dataset = LatentDataset(
            cache,
            with_noise(select(cache.rows, cfg.data.train_split), noise),
            scaling_factor=cfg.model.vae["scaling_factor"],
            target_posterior=Posterior.sample,
            condition_posterior=cfg.recipe.condition_posterior,
            draw_variant=True,
            text_dropout=self.training.text_dropout,
            seed=cfg.seed,
            noise=noise,
            rotate_noise=cfg.noise.rotate_channels,
        )
        self.validator = None
        if self.training.validate_every != 0:
            self.validator = Validator(cfg, cache, accelerator.device, noise, rank=self.rank, processes=self.processes)
        self.meter = Meter(self.training.batch_size * self.training.gradient_accumulation * self.processes)
        self.step = 0

    # ------------------------------------------------------------------ the loop

    def run(self, resume: Path | None) -> None:
        """Train from a checkpoint, or from the beginning, to the last step."""
        with contextlib.ExitStack() as held:
            if self.is_main:
                held.enter_context(sole_writer(self.root))
            self._run(resume)

    def _run(self, resume: Path | None) -> None:
        if self.is_main:
            remove_partials(self.root / CHECKPOINTS)
            remove_partials(self.root / SAMPLES)
        if resume is not None:
            self._load(resume)
        self._describe(resume)
        self.metrics: MetricsFile | None = None
        self.tracker: Tracker = NoTracker()
        if self.is_main:
            discard_after(self.training, self.step)
            self.metrics = MetricsFile(self.root, self._belongs)
            self.tracker = open_tracker(self.cfg.tracker, self.root, self.cfg.name, checkpoint.plain(self.cfg))
        with contextlib.ExitStack() as held:
            held.callback(self.accelerator.end_training)
            held.enter_context(closing(self.tracker))
            # W&B keeps the last seconds of a part in memory, and loses them when the part is killed.
            for record in self.metrics.kept if self.metrics is not None else ():
                self._track(record)
            self._validate_if_owed()
            batches = self._batches()
            with progress_bar("training", self.training.steps, self.step, enabled=self.is_main) as advance:
                while self.step < self.training.steps:
                    result = self._train_step(self.step + 1, batches)
                    self.step += 1
                    self.meter.add(result.loss, result.seconds, result.waited)
                    if self.step % self.training.log_every == 0 or self.step == self.training.steps:
                        self._log(result)
                    if self.step % self.training.checkpoint_every == 0 or self.step == self.training.steps:
                        self._save()
                    self._validate_if_owed()
                    advance()

    def _train_step(self, step: int, batches: Iterator[Batch]) -> StepResult:
        """Accumulate gradients over the micro-batches of one optimiser step, clip their norm, and move the weights."""
        began = time.perf_counter()
        device, accumulation = self.accelerator.device, self.training.gradient_accumulation
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(step)
        loss_sum, waited, grad_norm = torch.zeros((), device=device), 0.0, None
        for micro in range(accumulation):
            asked = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - asked
            draws = generator(self.cfg.seed, "noise", step, micro, self.rank)
            t_B = torch.randint(self.schedule.num_train_timesteps, (len(batch),), generator=draws).to(device)
            noise_BTCHW = training_noise(batch, draws, self.cfg.noise, self.cfg.recipe.noise_degradation).to(device)
            batch = batch.to(device)
            with self.accelerator.accumulate(self.model):
                loss = velocity_loss(self.model, self.schedule, batch, noise_BTCHW, t_B, self.rotary, self.dtype).mean()
                loss_sum += loss.detach() / accumulation
                if self.accelerator.sync_gradients:
                    # Before backward: DeepSpeed moves the weights in it.
                    mean_loss = self.accelerator.reduce(loss_sum, "mean").item()
                    self._require_finite("loss", mean_loss, step)
                self.accelerator.backward(loss)
                if self.accelerator.sync_gradients:
                    grad_norm = self._clip(step)
                self.optimizer.step()
                self.optimizer.zero_grad()
        if self.ema is not None:
            self.ema.step(self.transformer.parameters())
        return StepResult(mean_loss, grad_norm, time.perf_counter() - began, waited)

    def _clip(self, step: int) -> float | None:
        # Where nothing is clipped the norm is reported all the same.
        limit = self.training.max_grad_norm if self.cfg.recipe.clip_gradients else math.inf
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), limit)
        # Under fp16 the loss scaler expects overflows and skips such a step.
        if norm is not None and self.training.mixed_precision is not Precision.fp16:
            self._require_finite("gradient norm", float(norm), step)
        return None if norm is None else float(norm)

    def _require_finite(self, what: str, value: float, step: int) -> None:
        if not math.isfinite(value):
            newest = checkpoint.newest_checkpoint(self.root)
            raise InputError(
                f"the {what} is {value} at step {step}; training stopped and saved nothing of it",
                f"lower training.learning_rate (now {self.training.learning_rate:g}) or training.max_grad_norm and "
                f"train into another folder; the last good weights are {newest or 'the initial ones'}",
            )

    # ------------------------------------------------------------------ its parts

    def _initial_transformer(self) -> CogVideoXTransformer3DModel:
        start, model, expansion = self.cfg.stage.init_from, self.cfg.model, self.cfg.recipe.mask_expansion
        if start is None:
            transformer = build_transformer(model, expansion=expansion)
        else:
            location = resolve_checkpoint(start, "stage.init_from")
            transformer = load_transformer(location, model, expansion=expansion)
        if self.training.gradient_checkpointing:
            transformer.enable_gradient_checkpointing()
            assert transformer.is_gradient_checkpointing
        return transformer.train()

    def _moving_average(self) -> EMAModel | None:
        if self.training.ema_decay is None:
            return None
        return EMAModel(self.transformer.parameters(), decay=self.training.ema_decay)

    def _batches(self) -> Iterator[Batch]:
        sampler = StepBatches(
            SampleOrder(len(self.dataset), self.cfg.seed),
            first_step=self.step + 1,
            last_step=self.training.steps,
            batch_size=self.training.batch_size,
            accumulation=self.training.gradient_accumulation,
            rank=self.rank,
            processes=self.processes,
        )
        loader = DataLoader(
            self.dataset,
            batch_sampler=sampler,
            collate_fn=collate,
            num_workers=self.training.num_workers,
            # Without one of its own a loader draws from the global generator.
            generator=generator(self.cfg.seed, "workers"),
            pin_memory=self.accelerator.device.type == "cuda",
        )
        return iter(loader)

    @contextlib.contextmanager
    def _inference_weights(self) -> Iterator[None]:
        """The weights that inference will use: the moving average, where there is one, in place of the raw ones."""
        if self.ema is None:
            yield
            return
        self.ema.store(self.transformer.parameters())
        self.ema.copy_to(self.transformer.parameters())
        try:
            yield
        finally:
            self.ema.restore(self.transformer.parameters())

    def _describe(self, resume: Path | None) -> None:
        if not self.is_main:
            return
        parameters = sum(parameter.numel() for parameter in self.transformer.parameters())
        per_step = self.meter.samples_per_step
        log.info(
            "%s %s: %.2f M parameters, %d clips, %d a step, %d steps (%.1f epochs), %d process(es) on %s, %s",
            self.cfg.stage.name,
            self.cfg.model.name,
            parameters / 1e6,
            len(self.dataset),
            per_step,
            self.training.steps,
            self.training.steps * per_step / len(self.dataset),
            self.processes,
            self.accelerator.device,
            self.training.mixed_precision,
        )
        if resume is not None:
            log.info("continuing from %s", resume)

    # ------------------------------------------------------------------ what is written

    def _log(self, result: StepResult) -> None:
        summary = self.meter.read()
        if self.metrics is None:
            return
        summary |= {
            "lr": self.learning_rate(self.step),
            "epoch": self.step * self.meter.samples_per_step / len(self.dataset),
        }
        if result.grad_norm is not None:
            summary["grad_norm"] = result.grad_norm
        log.info(
            "step %d/%d  loss %.4f  lr %.2e  %.2f s/step  data wait %.0f%%  %.1f samples/s  memory %.2f GiB",
            self.step,
            self.training.steps,
            summary["loss"],
            summary["lr"],
            summary["step_seconds"],
            100 * summary["data_wait"],
            summary["samples_per_second"],
            summary["memory_gib"],
        )
        record = {"kind": "train", "step": self.step} | summary
        self.metrics.append(record)
        self._track(record)

    def _track(self, record: dict[str, Any]) -> None:
        """Give the tracker a record of metrics.jsonl, and with a validation its videos."""
        kind, step = record["kind"], record["step"]
        if kind == "validation":
            folder = samples_folder(self.training, step)
            self.tracker.log({"validation/loss": record["loss"]}, step)
            self.tracker.log_videos({f"validation/{path.stem}": path for path in sorted(folder.glob("*.mp4"))}, step)
        else:
            values = {name: value for name, value in record.items() if name not in ("kind", "step")}
            self.tracker.log({f"train/{name}": value for name, value in values.items()}, step)

    def _belongs(self, record: dict[str, Any]) -> bool:
        """Whether a record of metrics.jsonl is of the steps that the loaded checkpoint has behind it."""
        if record["step"] == self.step and record["kind"] == "validation":
            return not validation_owed(self.training, self.step)
        return record["step"] <= self.step

    def _save(self) -> None:
        folder = self.root / CHECKPOINTS / step_name(self.step)
        with shared_folder(self.accelerator, folder, checkpoint.KIND) as partial:
            self.accelerator.save_state(str(partial / checkpoint.STATE))
            if self.is_main:
                with self._inference_weights():
                    self.transformer.save_pretrained(partial / TRANSFORMER)
                state = TrainerState(self.step, self.training.steps, self.settings, self.meter.losses)
                checkpoint.write_state(partial, state, self.cfg)
        if self.is_main:
            checkpoint.rotate(self.root, self.training.keep_checkpoints)
            log.info("saved %s", folder)

    def _load(self, folder: Path) -> None:
        state = checkpoint.read_state(folder)
        self.accelerator.load_state(str(folder / checkpoint.STATE))
        if self.ema is not None:
            self.ema.shadow_params = [
                parameter.detach().to(self.accelerator.device) for parameter in load_transformer(folder).parameters()
            ]
            self.ema.optimization_step = state.step
        self.step = state.step
        self.meter.losses = state.window
        if self.is_main and state.total != self.training.steps:
            log.warning(
                "training.steps was %d and is %d: the learning rate now follows the schedule of the new length",
                state.total,
                self.training.steps,
            )

    def _validate_if_owed(self) -> None:
        if self.validator is None or not validation_owed(self.training, self.step):
            return
        self.transformer.eval()
        folder = samples_folder(self.training, self.step)
        with shared_folder(self.accelerator, folder, SAMPLES_KIND) as partial, self._inference_weights():
            found = self.validator.losses(self.transformer, self.schedule, self.rotary, self.dtype)
            self.validator.write_videos(self.transformer, partial)
            losses = sorted(gather_object(found), key=lambda item: (item.timestep, item.pair_id))
            if self.metrics is not None:
                summary = summarise(losses)
                write_json(partial / "validation.json", {"step": self.step} | summary)
                record = {"kind": "validation", "step": self.step} | summary
                self.metrics.append(record)
        self.transformer.train()
        if self.metrics is not None:
            log.info("step %d  validation loss %.4f  videos in %s", self.step, summary["loss"], folder)
            self._track(record)
