"""What VATT looks at, listens to and reads: frames, waveforms, log-mel spectrograms and words, as it was trained on.

After the data code of the original and of DMVR, on which it stands (github.com/deepmind/dmvr; both Apache-2.0).
"""

import re
import string
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from unimma.errors import ModelError
from unimma.types import Video

RATE_HZ = 48_000
FRAMES_PER_S = 10.0
MAX_WORDS = 16  # of a sentence in training
VOCABULARY = "howto100m_en.txt"  # the original's own name of the file
STEP_SAMPLES = 1024  # from one step of a spectrogram to the next: 21 ms
_WINDOW_SAMPLES = 2048
_LOW_HZ, _HIGH_HZ = 80.0, 7600.0
_BREAK_HZ, _MEL_PER_NEPER = 700.0, 1127.0  # the mel scale, as HTK has it
_UNPUNCTUATED = str.maketrans("", "", string.punctuation)
_PADDING, _UNKNOWN = "<pad>", "<unk>"


def ticks(video: Video) -> tuple[npt.NDArray[np.int64], float]:
    """Which frame is on show at each tick, int64 [num_ticks], and the seconds from tick to tick.

    Ten ticks a second, as in training, over the clip's whole length; fewer where it was decoded to fewer frames than
    that, so that each of them is seen once.
    """
    duration_s = max(video.duration_s, 1 / FRAMES_PER_S)
    count = max(1, min(round(duration_s * FRAMES_PER_S), len(video.frames)))
    if count == len(video.frames):
        return np.arange(count), duration_s / count
    middles = (np.arange(count) + 0.5) * duration_s / count
    on_show = np.searchsorted(video.times, middles, side="right") - 1
    return np.maximum(on_show, 0), duration_s / count


def crop_frames(frames: npt.NDArray[np.uint8], height: int, width: int) -> Tensor:
    """uint8 [N, h, w, 3] → uint8 [N, height, width, 3]: bilinear to the smallest that covers it, then its middle."""
    old_height, old_width = frames.shape[1:3]
    covering = max(height, old_height * width // old_width), max(width, old_width * height // old_height)
    channels_first = torch.tensor(frames).movedim(-1, 1).float()
    if covering != (old_height, old_width):
        channels_first = F.interpolate(channels_first, covering, mode="bilinear", align_corners=False)
    top, left = (covering[0] - height) // 2, (covering[1] - width) // 2
    cropped = channels_first[:, :, top : top + height, left : left + width]
    return cropped.to(torch.uint8).movedim(1, -1).contiguous()  # cut off, not rounded: as a cast does it


def centred(frames: Tensor) -> Tensor:
    """uint8 → float32 in [-1, 1]."""
    return frames.float() / 255 * 2 - 1


def log_mel(waveforms: Tensor, num_bands: int) -> Tensor:
    """Waveforms at 48 kHz, float32 [B, n] → log-mel spectrograms, float32 [B, steps, bands], each in [0, 1].

    Windows of 43 ms (Hann) every 21 ms, zeros beyond the end; magnitudes on a mel scale from 80 to 7,600 Hz;
    log(1 + 10,000 x); then scaled from the smallest to the largest value of each spectrogram.
    """
    steps = -(-waveforms.shape[1] // STEP_SAMPLES)
    padded = F.pad(waveforms, (0, (steps - 1) * STEP_SAMPLES + _WINDOW_SAMPLES - waveforms.shape[1]))
    hann = torch.hann_window(_WINDOW_SAMPLES, device=waveforms.device)
    magnitudes = torch.fft.rfft(padded.unfold(1, _WINDOW_SAMPLES, STEP_SAMPLES) * hann).abs()
    mel = torch.log1p(1e4 * magnitudes @ _mel_bands(num_bands).to(waveforms.device))
    low, high = mel.amin(dim=(1, 2), keepdim=True), mel.amax(dim=(1, 2), keepdim=True)
    return (mel - low) / (high - low).clamp(min=torch.finfo(mel.dtype).tiny)


@lru_cache(maxsize=4)
def _mel_bands(num_bands: int) -> Tensor:
    """Triangles whose sides are straight lines in mel (not in Hz), float32 [1025, bands]; none hears 0 Hz."""
    bins = _to_mel(np.linspace(0.0, RATE_HZ / 2, _WINDOW_SAMPLES // 2 + 1)[1:])[:, None]
    edges = np.linspace(_to_mel(np.array(_LOW_HZ)), _to_mel(np.array(_HIGH_HZ)), num_bands + 2)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return torch.from_numpy(np.pad(triangles, ((1, 0), (0, 0)))).float()


def _to_mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    mel: npt.NDArray[np.float64] = _MEL_PER_NEPER * np.log1p(hz / _BREAK_HZ)
    return mel


class Words:
    """The words that a model knows: a text without punctuation, in lower case, cut at white space, by number.

    Args:
        path: a file with a word on each line, its number before it or else the line's own; `<pad>` is 0.
        vocab_size: how many words the model has features for.
    Raises:
        ModelError: no such file, or one that does not fit the model.
    """

    def __init__(self, path: Path, vocab_size: int) -> None:
        todo = "Take it from misc_data.tgz of the original and lay it beside the weights."
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            self._numbers = dict(_numbered(lines))
        except (OSError, ValueError) as error:
            came = f"the vocabulary {path.name} of VATT cannot be read"
            raise ModelError(came, "a word on each line", todo) from error
        if self._numbers.get(_PADDING) != 0 or _UNKNOWN not in self._numbers:
            raise ModelError(f"the vocabulary {path.name} without {_PADDING} = 0 or {_UNKNOWN}", "both", todo)
        if not all(0 <= number < vocab_size for number in self._numbers.values()):
            came = f"the vocabulary {path.name} with numbers up to {max(self._numbers.values())}"
            raise ModelError(came, f"less than the model's {vocab_size}", todo)

    def read(self, text: str) -> tuple[Tensor, Tensor]:
        """Numbers, int64 [n], and where the words stand, float64 [n, 2] as offsets of characters; one word at least."""
        found = [(match.group().translate(_UNPUNCTUATED).lower(), match.span()) for match in re.finditer(r"\S+", text)]
        words = [(word, span) for word, span in found if word] or [(_UNKNOWN, (0, len(text)))]
        numbers = [self._numbers.get(word, self._numbers[_UNKNOWN]) for word, _ in words]
        return torch.tensor(numbers), torch.tensor([span for _, span in words], dtype=torch.float64)


def _numbered(lines: list[str]) -> Iterator[tuple[str, int]]:
    for i, line in enumerate(lines):
        number, _, word = line.strip().rpartition(" ")
        yield word, int(number) if number else i


def repeated(x: Tensor, length: int) -> Tensor:
    """What is shorter than a window, again and again from its beginning: [n, …] → [length or more, …]."""
    return x if len(x) >= length else x[torch.arange(length) % len(x)]
