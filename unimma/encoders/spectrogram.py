"""Sound front ends that the audio encoders share: resampling and mel spectrograms."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.compat import ensure_torch_extensions

ensure_torch_extensions()
from torchaudio import functional as sound  # noqa: E402  (loads beside CPU-only torch after the line above)


def resample(waveform: Tensor, rate_hz: int, wanted_hz: int) -> Tensor:
    """float32 [num_samples] at one rate → at another, band-limited (torchaudio's windowed sinc)."""
    return waveform if rate_hz == wanted_hz else sound.resample(waveform, rate_hz, wanted_hz)


class MelSpectrogram(nn.Module):
    """float32 waveform [num_samples] → [frames, num_mels], before any logarithm.

    Args:
        rate_hz: of the waveform.
        window, hop: samples; Hann window.
        centred: frames lie around the multiples of `hop`, zeros beyond the ends; else they begin there, and samples
            that fill no whole frame are left out.
        num_mels, low_hz, high_hz: bands on the HTK mel scale.
        power: 2 for power, 1 for magnitude.
        unit_sum: divide each band's filter by the sum of its weights.
    """

    def __init__(
        self,
        *,
        rate_hz: int,
        window: int,
        hop: int,
        num_mels: int,
        low_hz: float = 0.0,
        high_hz: float,
        power: float,
        unit_sum: bool = False,
        fft: int | None = None,
        centred: bool = True,
    ) -> None:
        super().__init__()
        self.hop, self.power, self.fft = hop, power, fft or window
        self.margin = window // 2 if centred else 0
        filters = sound.melscale_fbanks(self.fft // 2 + 1, low_hz, high_hz, num_mels, rate_hz, mel_scale="htk")
        filters = filters / filters.sum(dim=0).clamp(min=1e-8) if unit_sum else filters
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        window = self.get_buffer("window")
        frames = F.pad(waveform, (self.margin, self.margin)).unfold(0, len(window), self.hop)
        spectrum = torch.fft.rfft(frames * window, self.fft)
        bands: Tensor = (spectrum.abs() ** self.power) @ self.get_buffer("filters")
        return bands
