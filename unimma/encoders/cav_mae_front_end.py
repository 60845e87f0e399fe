"""What CAV-MAE hears and sees: a log-mel filterbank and a square picture, as its authors' data loader makes them.

Gong et al. 2023, openreview.net/forum?id=QPtMRyk5rb; the filterbank is Kaldi's, with its defaults but a Hann window
and no dither.
"""

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image as PillowImage
from torch import Tensor
from torch.nn import functional as F

from unimma.encoders.cav_mae_checkpoint import NUM_MELS
from unimma.errors import ModelError

RATE_HZ = 16_000
HOP_S = 0.01  # from frame to frame
WINDOW_SAMPLES, _HOP_SAMPLES, _FFT = 400, 160, 512
_PREEMPHASIS = 0.97
_LOWEST_HZ, _HIGHEST_HZ = 20.0, 8_000.0
_FLOOR = torch.finfo(torch.float32).eps  # of the energy: its logarithm stays finite
_FRAMES_AT_ONCE = 8_192  # 82 s: bounds the memory of a long sound
FBANK_MEAN, FBANK_STD = -5.081, 4.4849  # over AudioSet, as the authors measured them
_PIXEL_MEAN, _PIXEL_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # over ImageNet
_LONGEST_SIDE = 16  # times the shorter one


def log_mel(waveform: Tensor | npt.NDArray[np.float32]) -> Tensor:
    """The sound's energy in 128 mel bands every 10 ms, as natural logarithms.

    Args:
        waveform: float32 [n] at 16 kHz, about -1 to 1.
    Returns:
        float32 [frames, 128], on the waveform's device: whole frames of 25 ms only, so none of fewer than 400 samples.
    Raises:
        ModelError: more than one axis.
    """
    waveform = (waveform if isinstance(waveform, Tensor) else torch.tensor(waveform)).float()
    if waveform.ndim != 1:
        raise ModelError(f"a waveform {list(waveform.shape)}", "[n], one channel", "Give one channel alone.")
    if len(waveform) < WINDOW_SAMPLES:
        return waveform.new_zeros(0, NUM_MELS)
    frames = (waveform - waveform.mean()).unfold(0, WINDOW_SAMPLES, _HOP_SAMPLES)
    return torch.cat([_log_bands(part) for part in frames.split(_FRAMES_AT_ONCE)])


def _log_bands(frames: Tensor) -> Tensor:
    frames = frames - frames.mean(dim=1, keepdim=True)
    before = torch.cat([frames[:, :1], frames[:, :-1]], dim=1)
    window = torch.hann_window(WINDOW_SAMPLES, periodic=False, device=frames.device)
    spectrum = torch.fft.rfft((frames - _PREEMPHASIS * before) * window, _FFT)[:, : _FFT // 2]
    energy = spectrum.real.square() + spectrum.imag.square()
    bands: Tensor = energy @ _filters().to(frames.device)
    return bands.clamp(min=_FLOOR).log()


def _filters() -> Tensor:
    """Triangles that are even on the mel scale: float32 [256 bins, 128 bands]. The fourth one covers no bin."""
    low, high = _mel(torch.tensor([_LOWEST_HZ, _HIGHEST_HZ], dtype=torch.float64)).tolist()
    corners = torch.linspace(low, high, NUM_MELS + 2, dtype=torch.float64)
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    bins = _mel(torch.arange(_FFT // 2, dtype=torch.float64) * RATE_HZ / _FFT)[:, None]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    return torch.minimum(rising, falling).clamp(min=0).float()


def _mel(hz: Tensor) -> Tensor:
    return 1127 * torch.log1p(hz / 700)


def fit_length(fbank: Tensor, num_frames: int) -> Tensor:
    """[frames, 128] → [num_frames, 128]: cut, or filled up with zeros at its end; before `normalise_fbank`."""
    return F.pad(fbank, (0, 0, 0, num_frames - len(fbank)))  # a negative number cuts


def normalise_fbank(fbank: Tensor, mean: float = FBANK_MEAN, std: float = FBANK_STD) -> Tensor:
    """Logarithms → what the network hears, same shape."""
    return (fbank - mean) / std


def image_input(pixels: npt.NDArray[np.uint8], side_px: int) -> Tensor:
    """uint8 [H, W, 3] → float32 [3, side, side]: the shorter side brought to `side_px`, the middle cut out, normalised.

    Of a picture more than 16 times as long as wide, only the middle is brought to that size: it is what will be left.
    """
    picture = PillowImage.fromarray(pixels)
    longest = _LONGEST_SIDE * min(picture.size)
    picture = _centre(picture, min(picture.width, longest), min(picture.height, longest))
    shorter = min(picture.size)
    width, height = (int(side_px * side / shorter) for side in picture.size)
    square = _centre(picture.resize((width, height), PillowImage.Resampling.BICUBIC), side_px, side_px)
    scaled = torch.from_numpy(np.array(square)).permute(2, 0, 1).float() / 255
    return (scaled - torch.tensor(_PIXEL_MEAN)[:, None, None]) / torch.tensor(_PIXEL_STD)[:, None, None]


def _centre(picture: PillowImage.Image, width: int, height: int) -> PillowImage.Image:
    left, top = round((picture.width - width) / 2), round((picture.height - height) / 2)
    return picture.crop((left, top, left + width, top + height))
