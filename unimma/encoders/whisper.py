"""Whisper: what its encoder hears, frame by frame; and what it writes down, read by any text encoder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from unimma.encoders.base import Encoder, EncoderInfo, Prepared
from unimma.encoders.listening import Hearing, Listener, Waveform
from unimma.encoders.pretrained import described, half_on_gpu, load_network, loading, pinned, shown
from unimma.encoders.registry import find, register
from unimma.encoders.sequences import padded
from unimma.encoders.spectrogram import resample
from unimma.errors import ModelError
from unimma.types import Audio, Modality, Span, Text

WHISPER = "openai/whisper-small"
_PAPER = "Radford et al. 2022, arXiv 2212.04356"
# Where the model thinks both that nobody speaks and that its words are a guess, there are none (section 4.5).
_NO_SPEECH, _GUESS = 0.6, -1.0


@register("whisper")
class WhisperEncoder(Listener):
    """Sounds → the mean of the encoder's frames, 20 ms each, silence behind the end left out: [B, 768] of the default.

    Args:
        checkpoint, revision: a Whisper, on the Hub or in a folder.
    Raises:
        ModelError: it cannot be loaded.
    """

    info = EncoderInfo(
        paper=_PAPER,
        licence="Apache-2.0",
        input="16 kHz, one channel, windows of 30 s, the mean of their frames",
        weights=shown(WHISPER),
        features=768,
        verified="equal to transformers' WhisperModel on random weights",
    )

    def __init__(self, checkpoint: str = WHISPER, revision: str | None = None) -> None:
        with loading(checkpoint, revision):
            from transformers import WhisperFeatureExtractor, WhisperModel

            network = load_network(WhisperModel, checkpoint, revision).encoder
            self.network = network
            self._extractor: Any = WhisperFeatureExtractor.from_pretrained(
                checkpoint, revision=pinned(checkpoint, revision)
            )
            self.rate_hz, self.window = self._extractor.sampling_rate, self._extractor.n_samples
            self.frame_step = self.frame_width = self.window / network.config.max_source_positions
            self.measure()
        seconds = self.window / self.rate_hz
        heard = f"{self.rate_hz / 1000:g} kHz, one channel, windows of {seconds:g} s, the mean of their frames"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=heard)

    def inputs(self, windows: Sequence[Waveform]) -> Tensor:
        features: Tensor = self._extractor(windows, sampling_rate=self.rate_hz, return_tensors="pt").input_features
        return features

    def hear(self, inputs: Tensor) -> Hearing:
        return self.network(inputs).last_hidden_state, None


@register("whisper-transcript")
class WhisperTranscriptEncoder:
    """Speech → what is said, in its own language → a text encoder's features: sound that lies in a text's space.

    A sound in which nobody speaks gives the features of an empty text. Gradients reach the text encoder alone.

    Args:
        checkpoint, revision: a Whisper, on the Hub or in a folder.
        text: the text encoder's name, or {"name": …, its options}.
    Raises:
        ModelError: one of the two cannot be loaded, or the latter does not read text.
    """

    modality = Modality.AUDIO
    info = EncoderInfo(
        paper=f"{_PAPER}; then the text encoder's",
        licence="Apache-2.0; then the text encoder's",
        input="speech; 16 kHz, one channel, any length; the transcript read by m-clip",
        weights=f"{shown(WHISPER)}; then the text encoder's",
        features=512,
        verified="equal to transformers' generate, decoded and read by the text encoder, on random weights",
    )

    def __init__(
        self,
        checkpoint: str = WHISPER,
        revision: str | None = None,
        *,
        text: str | Mapping[str, Any] = "m-clip",
    ) -> None:
        options = {"name": text} if isinstance(text, str) else dict(text)
        name = str(options.pop("name", ""))
        self.text: Encoder = find(name)(**options)
        if self.text.modality is not Modality.TEXT:
            came = f"a transcript for {name}, an encoder of {self.text.modality}"
            raise ModelError(came, "an encoder of text", "Check the option `text`.")
        with loading(checkpoint, revision):
            from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

            commit = pinned(checkpoint, revision)
            self._speech = load_network(WhisperForConditionalGeneration, checkpoint, revision)
            self._extractor: Any = WhisperFeatureExtractor.from_pretrained(checkpoint, revision=commit)
            self._tokenizer: Any = AutoTokenizer.from_pretrained(checkpoint, revision=commit)
        self.rate_hz: int = self._extractor.sampling_rate
        self.dim = self.token_dim = self.text.dim
        self.network: nn.Module = nn.ModuleDict({"speech": self._speech, "text": self.text.network})
        read = self.text.info
        heard = f"speech; {self.rate_hz / 1000:g} kHz, one channel, any length; the transcript: {read.input}"
        info = described(self.info, checkpoint, revision, features=self.dim, input=heard)
        own = shown(checkpoint, revision)
        self.info = replace(
            info,
            paper=f"{_PAPER}; {read.paper}",
            licence=f"{'Apache-2.0' if own == shown(WHISPER) else 'as the checkpoint states'}; {read.licence}",
            weights=f"{own}; {read.weights}",
            commercial=read.commercial,
        )

    def uses(self, name: str) -> bool:
        """Whether gradients reach a parameter of the network: those of the text encoder's that it uses itself."""
        used = getattr(self.text, "uses", lambda name: True)
        return name.startswith("text.") and bool(used(name.removeprefix("text.")))

    def prepare(self, item: Audio) -> Prepared:
        """`spectrogram`: float32 [bands, frames], all of the sound, at least a window; `seconds`: its length."""
        waveform = resample(torch.tensor(item.waveform), item.rate_hz, self.rate_hz).numpy()
        whole = {"padding": "longest", "truncation": False} if len(waveform) > self._extractor.n_samples else {}
        features = self._extractor(waveform, sampling_rate=self.rate_hz, return_tensors="pt", **whole).input_features
        return {"spectrogram": features[0], "seconds": torch.tensor(item.duration_s)}

    def transcribe(self, batch: Sequence[Prepared]) -> list[list[tuple[str, Span]]]:
        """What is said in each sound, piece by piece, and when in seconds; nothing where nobody speaks."""
        return [[piece for piece in self._transcribe(item) if piece[0]] for item in batch]

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """The text encoder's features of the whole transcript, float32 [B, dim]."""
        said = [" ".join(words for words, _ in pieces) for pieces in self.transcribe(batch)]
        return self._read(said)

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """Features of the pieces, float32 [B, T, dim], and when they are said, seconds [B, T, 2]; NaN beyond the last.

        Where nobody speaks: those of an empty text, which lasts as long as the sound.
        """
        silent = [[("", Span(0.0, float(item["seconds"])))] for item in batch]
        said = [pieces or nothing for pieces, nothing in zip(self.transcribe(batch), silent, strict=True)]
        rows = self._read([words for pieces in said for words, _ in pieces]).split([len(pieces) for pieces in said])
        return padded(rows, [torch.tensor([(span.start, span.end) for _, span in pieces]) for pieces in said])

    def _read(self, said: Sequence[str]) -> Tensor:
        return self.text.encode([self.text.prepare(Text(words)) for words in said])

    @torch.no_grad()
    def _transcribe(self, item: Prepared) -> list[tuple[str, Span]]:
        """One sound at a time: how the library goes on in a long one hangs on what it has found before."""
        device = self._speech.device
        with half_on_gpu(device):
            heard = self._speech.generate(
                item["spectrogram"][None].to(device),
                return_timestamps=True,
                return_segments=True,
                condition_on_prev_tokens=False,
                no_speech_threshold=_NO_SPEECH,
                logprob_threshold=_GUESS,
                temperature=0.0,
            )
        end = float(item["seconds"])
        return [
            (
                self._tokenizer.decode(piece["tokens"], skip_special_tokens=True).strip(),
                Span(min(float(piece["start"]), end), min(float(piece["end"]), end)),
            )
            for piece in heard["segments"][0]
        ]
