"""Draining: every worker of a state folder writes the checkpoints of all its partitions, and ends.

``python -m monitor drain`` leaves a request in the state folder, ``drain/request``. Every worker that was running then
finds it within a second, does what SIGTERM does, and leaves its answer beside it, ``drain/<worker>.json``. So it works
for workers in containers, too, if they share the folder. A worker that starts while a request lies there was not meant:
somebody wants it to run. The file ``drained`` stays: while it is there, `python -m monitor up` leaves workers down.
"""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from monitor.clock import SystemClock
from monitor.settings import Settings

DRAINED = "drained"
_LOOK_S = 0.2
_NOTICE_S = 15.0
"""For a worker to see the request, and for the step that is under way to end."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What a worker left behind: how many of its partitions' checkpoints, in which time."""

    written: int
    partitions: int
    seconds: float

    @property
    def whole(self) -> bool:
        """Whether a successor need not replay anything."""
        return self.written == self.partitions


class Drain:
    """The request as one worker sees it.

    Parameters
    ----------
    state_dir : Path
    worker : str
        Its name.
    """

    def __init__(self, state_dir: Path, worker: str) -> None:
        self._request, self._answer = _request(state_dir), _answer(state_dir, worker)
        self._before = _read(self._request)

    def asked(self) -> bool:
        """Tell whether a request has come since this worker began."""
        return _read(self._request) not in (None, self._before)

    def answer(self, drained: Drained) -> None:
        """Tell whoever asked; if nobody did, nothing is written."""
        if self.asked():
            _put(self._answer, msgspec.json.encode(drained))


def drain(settings: Settings) -> int:
    """Ask all workers of the state folder to drain, wait for them, and print what each of them wrote.

    Returns
    -------
    int
        0 if every partition of every worker has its checkpoint, 1 if not.
    """
    from monitor.console.status_files import read_all

    names = []
    for status in read_all(settings.state_dir, SystemClock().now_ms()):
        if status.age_s <= settings.stream.stalled_s:
            names.append(status.worker_id)
        else:
            print(f"{status.worker_id} is taken for dead: its status is {status.age_s:.0f} s old.")
    if not names:
        print(f"No worker of {settings.state_dir} runs: for others, name their folder in PULSEWARDEN_STATE_DIR.")
        return 1
    for name in names:
        _answer(settings.state_dir, name).unlink(missing_ok=True)
    stay_down = settings.state_dir / DRAINED
    stay_down.touch()
    _put(_request(settings.state_dir), secrets.token_hex(8).encode())
    try:
        whole = _await(settings, names)
    finally:
        _request(settings.state_dir).unlink(missing_ok=True)
    print(f"What `python -m monitor up` keeps alive stays down until you remove {stay_down}.")
    return whole


def _await(settings: Settings, names: list[str]) -> int:
    within_s = settings.stream.gone_within_s + _NOTICE_S
    until = time.monotonic() + within_s
    waiting, whole = set(names), True
    while waiting and time.monotonic() < until:
        for name in sorted(waiting):
            answer = _read(_answer(settings.state_dir, name))
            if answer is not None:
                waiting.discard(name)
                drained = msgspec.json.decode(answer, type=Drained)
                whole = whole and drained.whole
                of = f"{drained.written} of {drained.partitions}"
                print(f"{name}: checkpoints of {of} partitions written in {drained.seconds:.1f} s.")
        time.sleep(_LOOK_S)
    for name in sorted(waiting):
        print(f"{name}: no answer within {within_s:.0f} s; its log says what it does.")
    return 0 if whole and not waiting else 1


def _request(state_dir: Path) -> Path:
    return state_dir / "drain" / "request"


def _answer(state_dir: Path, worker: str) -> Path:
    return state_dir / "drain" / f"{worker}.json"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:  # mostly it is not there; what cannot be read asks for nothing
        return None


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".staged")
    staged.write_bytes(content)
    staged.replace(path)
