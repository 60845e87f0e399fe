"""What is done with a damaged file, in a child process, and what must hold whatever it is."""

import io
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
from PIL import Image as PIL

from unimma.errors import UnimmaError
from unimma.media import decode, kind_of
from unimma.media.plain import write_plain
from unimma.media.thumbnail import thumbnail
from unimma.media.video import SHORT_SIDE
from unimma.settings import AUDIO_RATE_HZ, NUM_FRAMES, Limits
from unimma.types import Audio, Decoded, Image, Modality, Text, Video

P = ParamSpec("P")
T = TypeVar("T")

_MOST_MEGABYTES = 1_000  # beside what the process held before; what a file asks for counts only where it gets it


def look(content: bytes, name: str, folder: Path, limits: Limits) -> tuple[str, list[str]]:
    """Everything that the app does with a file: what it is ("refused" where nothing), and what should not have been."""
    case = _Case(folder, [])
    _most_megabytes()
    held_mb = _most_megabytes()  # since that reset: what the process holds now
    kind = case.tried("kind_of", kind_of, content, name, limits=limits)
    taken = case.tried("decode", decode, content, name=name, limits=limits)
    case.check("decode", taken, kind, limits)
    for modality in Modality:
        media = case.tried(f"decode {modality}", decode, content, modality=modality, name=name, limits=limits)
        case.check(f"decode {modality}", media, modality, limits)
        kept = case.tried(f"write {modality}", write_plain, content, modality, folder, "kept", limits, name=name)
        case.check_kept(f"write {modality}", kept, modality, limits)
    if (used_mb := _most_megabytes() - held_mb) > _MOST_MEGABYTES:
        case.wrong.append(f"used {used_mb} MB")
    return str(kind) if taken is not None else "refused", case.wrong


@dataclass(frozen=True)
class _Case:
    """One file's way through everything; `wrong` fills on the way."""

    folder: Path
    wrong: list[str]

    def tried(self, step: str, act: Callable[P, T], *args: P.args, **named: P.kwargs) -> T | None:
        """What it gives; a refusal is as good, if it says what it should and no more."""
        try:
            return act(*args, **named)
        except UnimmaError as error:
            said = str(error)
            if str(self.folder.parent) in said or not all((error.came, error.expected, error.todo)):
                self.wrong.append(f"{step}: says {said!r}")
        except Exception:
            self.wrong.append(f"{step}: {traceback.format_exc()}")
        return None

    def check(self, step: str, media: Decoded | None, modality: Modality | None, limits: Limits) -> None:
        """Decoded media are as promised, and can be shown small."""
        if media is None:
            return
        self.wrong.extend(f"{step}: {what}" for what in _faults(media, modality, limits))
        small = self.tried(f"{step}, thumbnail", thumbnail, media)
        if small is not None:
            with PIL.open(io.BytesIO(small), formats=("WEBP",)) as picture:
                picture.load()
                if max(picture.size) > 320:
                    self.wrong.append(f"{step}: a thumbnail of {picture.size}")

    def check_kept(self, step: str, kept: Path | None, modality: Modality, limits: Limits) -> None:
        """A kept file is alone in its folder and can be read again; it is deleted here."""
        left = sorted(path.name for path in self.folder.iterdir() if path != kept)
        if left:
            self.wrong.append(f"{step}: left {left}")
        if kept and self.tried(f"{step}, read again", decode, kept, modality=modality, limits=limits) is None:
            self.wrong.append(f"{step}: what was kept cannot be read")
        for path in self.folder.iterdir():
            path.unlink()


def _most_megabytes() -> int:
    """The most memory that this process used at a time since this was last asked (0 where the system does not tell)."""
    try:
        (used_kb,) = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return int(used_kb) // 1000


def _faults(media: Decoded, modality: Modality | None, limits: Limits) -> list[str]:
    """What about decoded media is not as `unimma.types` promises it."""
    match media:
        case Text(text=text):
            holds = {"words": 0 < len(text) <= limits.max_text_chars and "\0" not in text}
        case Image(pixels=pixels):
            holds = {
                "shape": pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.size > 0,
                "type": pixels.dtype == np.uint8,
                "size": pixels.size <= 3 * limits.max_image_pixels,
                "read-only": not pixels.flags.writeable,
            }
        case Audio(waveform=waveform, rate_hz=rate_hz):
            holds = {
                "shape": waveform.ndim == 1 and 0 < len(waveform) <= (limits.max_audio_seconds + 1) * rate_hz,
                "type": waveform.dtype == np.float32 and rate_hz == AUDIO_RATE_HZ,
                "finite": bool(np.isfinite(waveform).all()),
                "scale": float(np.abs(waveform).max(initial=0)) <= 4,
                "read-only": not waveform.flags.writeable,
            }
        case Video(frames=frames, times=times, duration_s=duration_s, sound=sound):
            holds = {
                "shape": frames.ndim == 4 and frames.shape[3] == 3 and 0 < len(frames) == len(times) <= NUM_FRAMES,
                "type": frames.dtype == np.uint8 and times.dtype == np.float64,
                "size": min(frames.shape[1:3]) <= SHORT_SIDE and frames.nbytes <= 500_000_000,
                "times": bool(np.isfinite(times).all() and (np.diff(times) > 0).all() and times[0] >= 0),
                "length": bool(np.isfinite(duration_s)) and times[-1] <= duration_s <= limits.max_video_seconds,
                "read-only": not frames.flags.writeable and not times.flags.writeable,
                "sound": sound is None or not _faults(sound, Modality.AUDIO, limits),
            }
    return [what for what, held in holds.items() if not held] + ["kind"] * (media.modality is not modality)
