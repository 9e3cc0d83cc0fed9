"""A bundle at work: Snapshots in, calibrated probabilities out, on CUDA where it exists and else on the CPU.

Batches are padded to a few fixed sizes, so that every call runs one of a handful of prepared shapes. On CUDA each shape
is a captured graph with pinned staging; the arithmetic is the same code on both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import bundle
from models.heads import HEAD_NAMES, HEADS, MODALITIES
from models.network import Inputs, probabilities
from models.snapshot import Snapshot
from models.tensors import INPUTS, Tensors, coverage, present, tensors

CPU_BUCKETS = (1, 8, 32, 64)
CUDA_BUCKETS = (64, 256, 1024, 4096)

Pass = Callable[[Tensors], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Scores:
    """Answers for B wearers and the H heads of Predictor.heads.

    Parameters
    ----------
    probability : float32 (B, H), calibrated; NaN = not assessable (head untrained, or what it needs is missing).
    coverage : float32 (B,) in 0..1, share of the promised heart-rate minutes of the last 6 h that were there.
    missing : uint32 (B,) bit mask of MODALITIES, bit i set = modality i is missing.
    """

    probability: NDArray[np.float32]
    coverage: NDArray[np.float32]
    missing: NDArray[np.uint32]


class Predictor:
    """Scores wearers with one bundle. Not thread-safe: one thread owns it."""

    def __init__(
        self, network: torch.nn.Module, manifest: bundle.Manifest, identity: str, device: torch.device
    ) -> None:
        self._network = network.to(device).eval()
        self._slope, self._intercept = bundle.calibration(manifest, device)
        self._trained_H = np.array(manifest.trained, np.bool_)
        self._captured: dict[int, Pass] = {}
        self.sha256 = identity
        self.version = identity[:12]
        self.heads = HEAD_NAMES
        self.modalities = MODALITIES
        self.limits = manifest.limits
        self.trained = manifest.trained
        self.device = str(device)
        self._on = device
        self._buckets = CUDA_BUCKETS if device.type == "cuda" else CPU_BUCKETS

    @classmethod
    def load(cls, folder: Path = bundle.DEFAULT, device: str = "auto") -> "Predictor":
        """Load and verify a bundle.

        Parameters
        ----------
        device : "auto" takes CUDA when there is one, else the CPU; "cpu" and "cuda" insist.

        Raises
        ------
        BundleDamaged
            If the bundle is not whole or not ours; the sentence names the file.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cpu":
            # one pass is too small to share: on busy cores torch's threads spin for each other (measured: 175 wearers
            # a CPU second with two threads, 965 with one)
            torch.set_num_threads(1)
        return cls(*bundle.load(folder), torch.device(device))

    def score(self, snapshot: Snapshot) -> Scores:
        """Answer for any number of wearers, 0 included. Reads only; the same Snapshot gives the same answer."""
        probability = np.empty((len(snapshot), len(HEADS)), np.float32)
        found = np.empty((len(snapshot), len(MODALITIES)), np.bool_)
        largest = self._buckets[-1]
        for start in range(0, len(snapshot), largest):  # tensors are ten times a Snapshot: a bucket at a time
            some = slice(start, min(start + largest, len(snapshot)))
            part = snapshot.rows(some)
            made = tensors(part)
            found[some] = present(part, made.valid)
            probability[some] = self._run(made)
        probability[~self._assessable(found)] = np.nan
        missing = (~found).astype(np.uint32) @ (np.uint32(1) << np.arange(len(MODALITIES), dtype=np.uint32))
        return Scores(probability, coverage(snapshot), missing.astype(np.uint32))

    def _assessable(self, found_BM: NDArray[np.bool_]) -> NDArray[np.bool_]:
        answers_BH = np.repeat(self._trained_H[None], len(found_BM), axis=0)
        for column, head in enumerate(HEADS):
            for group in head.needs:
                answers_BH[:, column] &= found_BM[:, [MODALITIES.index(name) for name in group]].any(axis=1)
        return answers_BH

    def _run(self, made: Tensors) -> NDArray[np.float32]:
        bucket = next(size for size in self._buckets if size >= len(made))
        if self._on.type == "cuda":
            if bucket not in self._captured:
                self._captured[bucket] = self._capture(bucket)
            return self._captured[bucket](made)
        with torch.inference_mode():
            inputs = {name: torch.from_numpy(_padded(getattr(made, name), bucket)) for name in INPUTS}
            answer: NDArray[np.float32] = self._answer(inputs)[: len(made)].numpy()
        return answer

    def _answer(self, inputs: Inputs) -> Tensor:
        return probabilities(self._network(inputs).logits * self._slope + self._intercept)

    @torch.inference_mode()
    def _capture(self, bucket: int) -> Pass:
        """Record one pass of a fixed size as a CUDA graph, fed from pinned memory."""
        example = tensors(Snapshot.empty(bucket))
        staged = {name: torch.from_numpy(getattr(example, name)).pin_memory() for name in INPUTS}
        resident = {name: value.to(self._on) for name, value in staged.items()}
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(
            aside
        ):  # cuDNN and cuBLAS choose their kernels before the capture, on a stream of their own
            for _ in range(3):
                self._answer(resident)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            answer = self._answer(resident)

        def run(made: Tensors) -> NDArray[np.float32]:
            n = len(made)
            for name in INPUTS:
                staged[name][:n].copy_(torch.from_numpy(getattr(made, name)))
                resident[name][:n].copy_(staged[name][:n], non_blocking=True)
            graph.replay()
            result: NDArray[np.float32] = answer[:n].cpu().numpy()
            return result

        return run


def _padded(values: NDArray[np.generic], bucket: int) -> NDArray[np.generic]:
    if len(values) == bucket:
        return values
    padded = np.zeros((bucket, *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    if values.dtype == np.bool_:
        padded[len(values) :, -1] = True  # the profile's token: a row without any would have nothing to attend to
    return padded
