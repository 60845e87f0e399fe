"""CLAP: sounds and sentences in one space that is ready to use."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from unimma.encoders.base import EncoderInfo
from unimma.encoders.listening import Hearing, Listener, Waveform
from unimma.encoders.pretrained import described, load_network, loading, pinned, shown, tokenizer_of
from unimma.encoders.registry import register
from unimma.encoders.tokens import Pieces, Reading, TextReader
from unimma.encoders.transformer_text import readable

CLAP = "laion/larger_clap_general"
_PAPER = "Wu et al. 2022, arXiv 2211.06687"


@register("clap-audio")
class ClapAudioEncoder(Listener):
    """Sounds → unit rows of the CLAP space: [B, 512] of the default; of a long sound, the mean over its windows.

    Where the library would look at ten seconds by chance (and a "fused" checkpoint at three such and the whole, made
    smaller), here all of a sound is heard, each window as a short sound. As a sequence: states of the last layer over
    time, before the projection.

    Args:
        checkpoint, revision: a CLAP, on the Hub or in a folder.
    Raises:
        ModelError: it cannot be loaded.
    """

    unit = True
    info = EncoderInfo(
        paper=_PAPER,
        licence="Apache-2.0",
        input="48 kHz, one channel, windows of 10 s",
        weights=shown(CLAP),
        features=512,
        verified="equal to transformers' ClapModel on random weights, fused and not",
    )

    def __init__(self, checkpoint: str = CLAP, revision: str | None = None) -> None:
        with loading(checkpoint, revision):
            from transformers import ClapFeatureExtractor

            self.network = load_clap(checkpoint, revision)
            self._extractor: Any = ClapFeatureExtractor.from_pretrained(
                checkpoint, revision=pinned(checkpoint, revision)
            )
            self.rate_hz, self.window = self._extractor.sampling_rate, self._extractor.nb_max_samples
            self.frame_step = self.frame_width = self.window / self._num_times()
            self.measure()
        heard = f"{self.rate_hz / 1000:g} kHz, one channel, windows of {self.window / self.rate_hz:g} s"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=heard)

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith(("audio_model.", "audio_projection."))

    def inputs(self, windows: Sequence[Waveform]) -> Tensor:
        """A short one is repeated up to the length of a window, as the checkpoint was trained."""
        features = self._extractor(windows, sampling_rate=self.rate_hz, return_tensors="pt").input_features
        return torch.as_tensor(features).float()

    def hear(self, inputs: Tensor) -> Hearing:
        none_longer = torch.zeros(len(inputs), 1, dtype=torch.bool, device=inputs.device)
        heard = self.network.get_audio_features(input_features=inputs, is_longer=none_longer)  # type: ignore[operator]
        return heard.last_hidden_state.mean(dim=2).transpose(1, 2), heard.pooler_output

    def _num_times(self) -> int:
        """How many states in a row the last layer has of a window: its picture of the sound is folded, pitch on top."""
        config: Any = self.network.config.audio_config  # type: ignore[union-attr]
        halvings = 2 ** (len(config.depths) - 1)
        return int(config.spec_size // config.num_mel_bins * (config.spec_size // config.patch_stride[1] // halvings))


@register("clap-text")
class ClapTextEncoder(TextReader):
    """Sentences → unit rows of the CLAP space: [B, 512] of the default.

    Args:
        checkpoint, revision: a CLAP, on the Hub or in a folder.
    Raises:
        ModelError: it cannot be loaded.
    """

    unit = True
    info = EncoderInfo(
        paper=_PAPER,
        licence="Apache-2.0",
        input="English; pieces of 512 tokens",
        weights=shown(CLAP),
        features=512,
        verified="equal to transformers' ClapModel on random weights",
    )

    def __init__(self, checkpoint: str = CLAP, revision: str | None = None) -> None:
        with loading(checkpoint, revision):
            network = load_clap(checkpoint, revision)
            self.network = network
            tokenizer = tokenizer_of(checkpoint, revision)
            config: Any = network.config.text_config
            positions = config.max_position_embeddings - config.pad_token_id - 1  # it counts from behind the filler's
            self.pieces = Pieces(tokenizer, readable(tokenizer, positions))
            self.measure()
        read = f"pieces of {self.pieces.most} tokens"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=read)

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith(("text_model.", "text_projection."))

    def read(self, tokens: Tensor, mask: Tensor) -> Reading:
        said = self.network.get_text_features(input_ids=tokens, attention_mask=mask.long())  # type: ignore[operator]
        return said.pooler_output, said.last_hidden_state


@cache
def load_clap(checkpoint: str, revision: str | None) -> Any:
    """One network for both towers: whichever is made first loads it."""
    from transformers import ClapModel

    return load_network(ClapModel, checkpoint, revision)
