"""Our own small sound network, distilled from YAMNet: 0.96 s windows → YAMNet's 1,024 features and 521 class scores.

The teacher (Google, AudioSet, Apache-2.0; github.com/tensorflow/models research/audioset/yamnet) cannot be shipped as
it is; this one learns its answers on unlabelled sound (`train/distill.py`). The weights are part of a
checkpoint folder: they travel with the heads, in its `model.safetensors`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.registry import register
from unimma.encoders.spectrogram import MelSpectrogram, resample
from unimma.types import Audio, Modality

RATE_HZ = 16_000
NUM_FEATURES, NUM_CLASSES = 1024, 521  # as YAMNet's
NUM_MIDDLE = 192
WINDOW_FRAMES, WINDOW_HOP = 96, 48  # of 10 ms: 0.96 s and half of it
WINDOW_SAMPLES = 15_600  # of the waveform below those frames, each 25 ms long
NUM_MELS = 64
_MAX_WINDOWS = 512  # four minutes; a longer sound is heard at 512 windows spread evenly over it
_LOG_OFFSET = 1e-3


class YamnetStudent(nn.Module):
    """A residual network on log-mel windows: [B, 96, 64] → features [B, 1024] and class logits [B, 521].

    It halves time and pitch where its teacher does, so that their maps can be compared place by place, but has a few
    plain convolutions at coarse places in place of 26: cheap to train and to run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 48, 5, stride=4, padding=2, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            _Residual(48, 96, stride=2),
        )
        self.middle = nn.Sequential(_Residual(96, 192, stride=2), _Residual(192, NUM_MIDDLE, stride=1))
        self.late = nn.Sequential(_Residual(NUM_MIDDLE, 384, stride=2), nn.Conv2d(384, NUM_FEATURES, 1), nn.ReLU())
        self.classifier = nn.Linear(NUM_FEATURES, NUM_CLASSES)

    def maps(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 96, 64] → what it sees at 6 x 4 places of time and pitch [B, 192, 6, 4], and at 3 x 2 [B, 1024, 3, 2]."""
        middle = self.middle(self.stem(windows[:, None].contiguous(memory_format=torch.channels_last)))
        return middle, self.late(middle)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        features = self.maps(windows)[1].mean(dim=(2, 3))
        return features, self.classifier(features)


class _Residual(nn.Module):
    def __init__(self, before: int, after: int, *, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.short = nn.Conv2d(before, after, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.main(x) + self.short(x))


class LogMelWindows(nn.Module):
    """float32 waveform [num_samples] at 16 kHz → [num_windows, 96, 64]; a short sound is padded with silence."""

    def __init__(self) -> None:
        super().__init__()
        self.mel = MelSpectrogram(
            rate_hz=RATE_HZ,
            window=400,
            hop=160,
            num_mels=NUM_MELS,
            low_hz=125.0,
            high_hz=7500.0,
            power=1.0,
            fft=512,
            centred=False,
        )

    def forward(self, waveform: Tensor) -> Tensor:
        missing = WINDOW_SAMPLES - len(waveform)
        log_mel = torch.log(self.mel(F.pad(waveform, (0, max(0, missing)))) + _LOG_OFFSET)
        return log_mel.unfold(0, WINDOW_FRAMES, WINDOW_HOP).transpose(1, 2)


@register("yamnet-student")
class YamnetStudentEncoder:
    """Sounds → mean features over windows, then class logits of the whole sound: [B, 1024 + 521]."""

    modality = Modality.AUDIO
    dim = NUM_FEATURES + NUM_CLASSES
    weights_travel = True  # with the checkpoint: no package carries them
    info = EncoderInfo(
        paper="Ours, distilled from YAMNet (Gemmeke et al. 2017, Audio Set; Howard et al. 2017, arXiv 1704.04861)",
        licence="as the checkpoint that carries it",
        input="16 kHz, one channel, any length",
        weights="inside the checkpoint folder",
        features=NUM_FEATURES + NUM_CLASSES,
        verified="how near it comes to YAMNet stands in the bundled model's card",
    )

    def __init__(self) -> None:
        self.network = YamnetStudent().eval().requires_grad_(False)
        self.windows = LogMelWindows()

    def prepare(self, item: Audio) -> Prepared:
        """`windows`: float32 [num_windows, 96, 64], log-mel."""
        windows = self.windows(resample(torch.tensor(item.waveform), item.rate_hz, RATE_HZ))
        if len(windows) > _MAX_WINDOWS:
            windows = windows[torch.linspace(0, len(windows) - 1, _MAX_WINDOWS).long()]
        return {"windows": windows}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Pooled over each item's windows, float32 [B, 1545]; the logits are logarithms of a probability that weighs
        the whole sound and its most telling window alike (a single bark in five seconds of silence still counts)."""
        counts = [len(item["windows"]) for item in batch]
        device = self.network.classifier.weight.device
        features, logits = self.network(torch.cat([item["windows"] for item in batch]).to(device))
        rows = zip(features.split(counts), logits.sigmoid().split(counts), strict=True)
        return torch.stack([torch.cat([f.mean(dim=0), _whole(p)]) for f, p in rows])


def _whole(probabilities: Tensor) -> Tensor:
    return torch.log((probabilities.mean(dim=0) + probabilities.amax(dim=0)) / 2 + 1e-6)
