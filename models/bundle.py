"""A model as a folder: weights.safetensors, bundle.json, report.json, MODEL_CARD.md, and SHA256SUMS over them.

Nothing is read before its checksum is right, nothing is ever unpickled. A bundle's identity is the sha256 over the
sums of its weights and bundle.json; its version is the first 12 hex digits.
"""

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from models.errors import BundleDamaged
from models.heads import HEAD_NAMES, MODALITIES
from models.network import LOGITS, Network, Shape

FORMAT = "pulsewarden-bundle/1"
WEIGHTS, MANIFEST, REPORT, CARD, SUMS = (
    "weights.safetensors",
    "bundle.json",
    "report.json",
    "MODEL_CARD.md",
    "SHA256SUMS",
)
COVERED = (WEIGHTS, MANIFEST, REPORT, CARD)
IDENTIFYING = (WEIGHTS, MANIFEST)
DEFAULT = Path(__file__).parent / "bundles" / "default"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What must be known to use the weights.

    Parameters
    ----------
    trained : per head, whether training held truth for it; an untrained head always answers "not assessable".
    limits : per head, the calibrated probability above which an alert is due; None = the head never alerts.
    slope, intercept : (11,) calibration of each logit, ``slope * logit + intercept``.
    budget_per_wearer_day : false alerts per wearer and day for which each limit was chosen.
    training : what it was trained with and on (seeds, counts, switches), for people; decides nothing.
    """

    shape: Shape
    trained: tuple[bool, ...]
    limits: tuple[float | None, ...]
    slope: tuple[float, ...]
    intercept: tuple[float, ...]
    budget_per_wearer_day: float
    training: dict[str, Any]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _identity(sums: dict[str, str]) -> str:
    return _sha256("\n".join(f"{sums[name]}  {name}" for name in IDENTIFYING).encode())


def dumped(value: object) -> bytes:
    """Return readable JSON that is the same bytes for the same value."""
    return (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def save(folder: Path, network: Network, manifest: Manifest, *, report: dict[str, Any], card: str) -> str:
    """Write a bundle: staged beside the folder, fsynced, then renamed; an older bundle there is replaced.

    Returns
    -------
    The bundle's version, 12 hex digits. The same weights and manifest give the same version anywhere.
    """
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    described = {"format": FORMAT, "heads": HEAD_NAMES, "modalities": MODALITIES, **asdict(manifest)}
    files = {WEIGHTS: save_tensors(weights), MANIFEST: dumped(described), REPORT: dumped(report), CARD: card.encode()}
    sums = {name: _sha256(data) for name, data in files.items()}
    files[SUMS] = "".join(f"{sums[name]}  {name}\n" for name in COVERED).encode()
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged = folder.parent / f".{folder.name}.staged-{os.getpid()}"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    for name, data in files.items():
        with (staged / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    if folder.exists():
        shutil.rmtree(folder)
    staged.rename(folder)
    return _identity(sums)[:12]


def verified(folder: Path) -> tuple[dict[str, bytes], str]:
    """Read a bundle's files and check every checksum.

    Returns
    -------
    The files' bytes by name, and the bundle's identity (64 hex digits).

    Raises
    ------
    BundleDamaged
        If a file is missing or differs from its checksum; the sentence names it.
    """
    listed = _read(folder / SUMS).decode("utf-8", "replace").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in listed)}
    files = {}
    for name in COVERED:
        files[name] = _read(folder / name)
        if sums.get(name) != _sha256(files[name]):
            raise BundleDamaged(f"{folder / name} does not match {SUMS}: fetch or train the bundle again.")
    return files, _identity(sums)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleDamaged(f"{path} cannot be read ({error.strerror}): fetch or train the bundle again.") from error


def load(folder: Path) -> tuple[Network, Manifest, str]:
    """Load a verified bundle on the CPU, ready to answer.

    Raises
    ------
    BundleDamaged
        If a file is missing, altered, or made for another network than this code's; the sentence names it.
    """
    files, identity = verified(folder)
    return *_built(folder, files), identity


def _built(folder: Path, files: dict[str, bytes]) -> tuple[Network, Manifest]:
    stated = json.loads(files[MANIFEST])
    if (stated.get("format"), stated.get("heads"), stated.get("modalities")) != (
        FORMAT,
        list(HEAD_NAMES),
        list(MODALITIES),
    ):
        raise BundleDamaged(
            f"{folder / MANIFEST} is not a {FORMAT} of this program's heads: train it with this version."
        )
    manifest = Manifest(
        shape=Shape(**stated["shape"]),
        trained=tuple(stated["trained"]),
        limits=tuple(stated["limits"]),
        slope=tuple(stated["slope"]),
        intercept=tuple(stated["intercept"]),
        budget_per_wearer_day=stated["budget_per_wearer_day"],
        training=stated["training"],
    )
    if len(manifest.slope) != LOGITS or len(manifest.intercept) != LOGITS or len(manifest.limits) != len(HEAD_NAMES):
        raise BundleDamaged(f"{folder / MANIFEST} has the wrong number of calibrations or limits: train it again.")
    network = Network(manifest.shape)
    try:
        network.load_state_dict(load_tensors(files[WEIGHTS]))
    except (SafetensorError, RuntimeError) as error:
        raise BundleDamaged(
            f"{folder / WEIGHTS} holds weights of another network: train it with this version."
        ) from error
    network.eval().requires_grad_(requires_grad=False)
    return network, manifest


def read_report(folder: Path) -> dict[str, Any]:
    """Return a verified bundle's report."""
    files, _ = verified(folder)
    report: dict[str, Any] = json.loads(files[REPORT])
    return report


def calibration(manifest: Manifest, device: torch.device | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Slope and intercept as float32 tensors (11,)."""
    return (
        torch.tensor(manifest.slope, dtype=torch.float32, device=device),
        torch.tensor(manifest.intercept, dtype=torch.float32, device=device),
    )
