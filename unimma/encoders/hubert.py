"""HuBERT: speech, heard frame by frame as it was recorded, by a network that has learned from sound alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unimma.encoders.base import EncoderInfo
from unimma.encoders.listening import Hearing, Listener, Waveform
from unimma.encoders.pretrained import described, load_network, loading, pinned, shown
from unimma.encoders.registry import register
from unimma.errors import ModelError

HUBERT = "facebook/hubert-base-ls960"


@register("hubert")
class HubertEncoder(Listener):
    """Sounds → the mean of the last layer's frames, 20 ms each: [B, 768] of the default.

    Args:
        checkpoint, revision: a HuBERT, on the Hub or in a folder.
        window_s: seconds heard at once, 1 or more; bounds the memory of a long sound.
    Raises:
        ModelError: it cannot be loaded, or an option makes no sense.
    """

    info = EncoderInfo(
        paper="Hsu et al. 2021, arXiv 2106.07447",
        licence="Apache-2.0",
        input="speech; 16 kHz, one channel, windows of 15 s, the mean of their frames",
        weights=shown(HUBERT),
        features=768,
        verified="equal to transformers' HubertModel on random weights",
    )

    def __init__(self, checkpoint: str = HUBERT, revision: str | None = None, *, window_s: float = 15.0) -> None:
        if window_s < 1:
            raise ModelError(f"hubert with window_s={window_s}", "1 second or more", "Check the options.")
        with loading(checkpoint, revision):
            from transformers import HubertModel, Wav2Vec2FeatureExtractor

            spare = ("masked_spec_embed",)  # of training
            self.network = load_network(HubertModel, checkpoint, revision, spare=spare)
            self._extractor: Any = Wav2Vec2FeatureExtractor.from_pretrained(
                checkpoint, revision=pinned(checkpoint, revision)
            )
            config: Any = self.network.config
            self._layers = tuple(zip(config.conv_kernel, config.conv_stride, strict=True))
            self.rate_hz = self._extractor.sampling_rate
            self.window = round(window_s * self.rate_hz)
            self.frame_step = int(np.prod(config.conv_stride))
            self.frame_width = self.shortest = _reach(self._layers)
            self.measure()
        heard = f"{self.rate_hz / 1000:g} kHz, one channel, windows of {window_s:g} s, the mean of their frames"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=heard)

    def level(self, waveform: Waveform) -> Waveform:
        """Of mean 0 and deviation 1 where the checkpoint was trained so."""
        values: Waveform = self._extractor(waveform, sampling_rate=self.rate_hz, return_tensors="np").input_values[0]
        return values.astype(np.float32)

    def inputs(self, windows: Sequence[Waveform]) -> Tensor:
        return torch.from_numpy(np.stack(windows))

    def hear(self, inputs: Tensor) -> Hearing:
        return self.network(inputs).last_hidden_state, None

    def num_frames(self, num_samples: int) -> int:
        for kernel, stride in self._layers:
            num_samples = (num_samples - kernel) // stride + 1
        return num_samples


def _reach(layers: Sequence[tuple[int, int]]) -> int:
    """How many samples a frame behind these convolutions, of kernel and stride, is made of."""
    samples, step = 1, 1
    for kernel, stride in layers:
        samples += (kernel - 1) * step
        step *= stride
    return samples
