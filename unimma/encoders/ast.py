"""The Audio Spectrogram Transformer: any sound, ten seconds at once, by a network that knows AudioSet's 527 classes."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from unimma.encoders.base import EncoderInfo
from unimma.encoders.listening import Hearing, Listener, Waveform
from unimma.encoders.pretrained import described, load_network, loading, pinned, shown
from unimma.encoders.registry import register

AST = "MIT/ast-finetuned-audioset-10-10-0.4593"
_MEL_WINDOW_S, _MEL_HOP_S = 0.025, 0.010  # of its spectrogram, as Kaldi's filter banks have them
_SUMMARIES = 2  # class and distillation token, before those of the patches


@register("ast")
class AstEncoder(Listener):
    """Sounds → the mean of class and distillation token, over windows: [B, 768] of the default.

    As a sequence: the patches of a time, the mean over pitch.

    Args:
        checkpoint, revision: an AST, on the Hub or in a folder.
    Raises:
        ModelError: it cannot be loaded.
    """

    info = EncoderInfo(
        paper="Gong, Chung and Glass 2021, arXiv 2104.01778",
        licence="BSD-3-Clause",
        input="16 kHz, one channel, windows of 10.255 s",
        weights=shown(AST),
        features=768,
        verified="equal to transformers' ASTModel on random weights",
    )

    def __init__(self, checkpoint: str = AST, revision: str | None = None) -> None:
        with loading(checkpoint, revision):
            from transformers import ASTFeatureExtractor, ASTModel

            self.network = load_network(ASTModel, checkpoint, revision)
            self._extractor: Any = ASTFeatureExtractor.from_pretrained(
                checkpoint, revision=pinned(checkpoint, revision)
            )
            config: Any = self.network.config
            self.rate_hz = self._extractor.sampling_rate
            hop = round(_MEL_HOP_S * self.rate_hz)
            self.shortest = round(_MEL_WINDOW_S * self.rate_hz)
            self.window = hop * (self._extractor.max_length - 1) + self.shortest
            self.frame_step = hop * config.time_stride
            self.frame_width = hop * (config.patch_size - 1) + self.shortest
            self._num_pitches, self._num_times = (
                (extent - config.patch_size) // stride + 1
                for extent, stride in (
                    (config.num_mel_bins, config.frequency_stride),
                    (config.max_length, config.time_stride),
                )
            )
            self.measure()
        heard = f"{self.rate_hz / 1000:g} kHz, one channel, windows of {self.window / self.rate_hz:g} s"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=heard)

    def inputs(self, windows: Sequence[Waveform]) -> Tensor:
        values: Tensor = self._extractor(windows, sampling_rate=self.rate_hz, return_tensors="pt").input_values
        return values.float()

    def hear(self, inputs: Tensor) -> Hearing:
        heard = self.network(inputs)
        patches = heard.last_hidden_state[:, _SUMMARIES:].unflatten(1, (self._num_pitches, self._num_times))
        return patches.mean(dim=1), heard.pooler_output

    def num_frames(self, num_samples: int) -> int:
        return min(int(self._num_times), super().num_frames(num_samples))
