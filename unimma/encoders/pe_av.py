"""PE-AV: sentences, sounds, pictures and clips, made comparable in one row each.

Vyas et al. 2025, "Pushing the Frontier of Audiovisual Perception with Large-Scale Multimodal Correspondence Learning",
arXiv 2512.19687. PE-AV was trained on pairs, with a head for each: a text has one vector for sounds (ta), another for
frames (tv), a third for frames with their sound (tav), against the sound's (a), the frames' (v) and the joint one (av);
a and v were trained against each other too. A text's three may not be mixed, and a text must meet sounds and clips in
one search. So every item's row is four blocks side by side, each of unit length or empty, and the dot product of two
rows is the similarity from the very heads that were trained on that pair:

    text              ta  tv  tav  -
    sound             a   -   -    2a
    picture, silent   -   v   -    2v     (a picture is a clip of one frame)
    clip with sound   -   -   av   2v

The factor 2 lets the media meet each other mainly in the last block, whatever they are. Divided by their lengths, a
text's cosine with any of the media is that head's divided by sqrt(15), and that of two media theirs times 4 / 5, plus a
fifth of the text-facing heads' where both have the same one.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.joint import (
    JointTower,
    Piece,
    Window,
    check_tokenizer,
    cut,
    owned,
    pack,
    text_pieces,
    windows,
)
from unimma.encoders.pretrained import described, load_network, loading, pinned, shown
from unimma.encoders.registry import register
from unimma.encoders.spectrogram import resample
from unimma.types import Audio, Image, Modality, Text, Video

DEFAULT = "facebook/pe-av-small"
WINDOW_S = 30.0  # of a long sound, and of a long clip that has one: 750 audio tokens
MEDIA_WEIGHT = 2.0  # of the block where sounds, pictures and clips meet


class _PeAv(JointTower):
    """What the four towers share.

    Args:
        checkpoint: a repository on the Hub, or a folder.
        revision: a branch or commit of the repository; of the default one, `REVISIONS` names it.
    Raises:
        ModelError: it cannot be had, or is no PE-AV.
    """

    info = EncoderInfo(
        paper="Vyas et al. 2025, PE-AV, arXiv 2512.19687",
        licence="Apache-2.0",
        input="as the checkpoint was trained",
        weights=shown(DEFAULT),
        features=4096,
        verified="every pair's cosine equal to that of transformers' own heads, on random weights",
    )

    def __init__(self, checkpoint: str = DEFAULT, revision: str | None = None) -> None:
        self._net, self._processor = _load(checkpoint, revision)
        self.network = self._net
        self._width = int(self._net.config.text_config.hidden_size)
        self.dim = 4 * self._width
        self.token_dim = self._token_dim()
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=self._input())

    def _token_dim(self) -> int:
        raise NotImplementedError

    def _input(self) -> str:
        raise NotImplementedError

    def _pixels(self, frames: Tensor) -> Tensor:
        """uint8 [num_frames, 3, height, width] → the network's [1, num_frames, 3, side, side]."""
        processor = self._processor.video_processor
        fixed = bool(processor.num_frames)  # the "16-frame" checkpoints: so many, repeated where there are fewer
        metadata = [{"total_num_frames": len(frames), "fps": 1.0}]
        pixels: Tensor = processor(
            [frames], do_sample_frames=fixed, video_metadata=metadata if fixed else None, return_tensors="pt"
        )["pixel_values_videos"]
        return pixels

    def _see(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Frames through the video encoder → v [P, width] of unit length, and a state for each frame."""
        seen = self._net.video_model.video_encoder(pixel_values_videos=pixels)
        return _unit(self._net.video_model.video_head(seen.pooler_output)), seen.last_hidden_state


@register("pe-av-text")
class PeAvTextEncoder(_PeAv):
    """Sentences → their vectors for sounds, frames and both: unit rows [B, 4 D]; a long text in pieces."""

    modality = Modality.TEXT

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which takes everything, belongs to this tower."""
        heads = ("audio_model.text_audio_head.", "video_model.text_video_head.", "text_audio_video_head.")
        return name.startswith(("text_model.", *heads))

    def prepare(self, item: Text) -> Prepared:
        """`input_ids` and `attention_mask` of every piece: int64 [1, num_tokens]."""
        return pack(text_pieces(self._processor.tokenizer, item.text, self._max_tokens()))

    def _max_tokens(self) -> int:
        return int(
            min(self._processor.tokenizer.model_max_length, self._net.config.text_config.max_position_embeddings)
        )

    def _token_dim(self) -> int:
        return self._width

    def _input(self) -> str:
        return f"English sentences; pieces of {self._max_tokens()} tokens"

    def _forward(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        states = self._net.text_model(**inputs, output_hidden_states=True).hidden_states[-1]
        model = self._net
        heads = (model.audio_model.text_audio_head, model.video_model.text_video_head, model.text_audio_video_head)
        return torch.cat([_unit(head(states[:, 0])) for head in heads], dim=1), states

    def _finish(self, rows: Tensor) -> Tensor:
        ta, tv, tav = (_unit(part) for part in rows.chunk(3, dim=1))
        return _row(ta, tv, tav, torch.zeros_like(ta))


@register("pe-av-audio")
class PeAvAudioEncoder(_PeAv):
    """Sounds → unit rows [B, 4 D]; a long sound in windows; as a sequence, a state every 40 ms."""

    modality = Modality.AUDIO

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which takes everything, belongs to this tower."""
        return name.startswith(("audio_model.audio_encoder.", "audio_model.audio_head."))

    def prepare(self, item: Audio) -> Prepared:
        """`input_values` of every window: float32 [1, 1, num_samples]."""
        extractor = self._processor.feature_extractor
        waveform = resample(torch.tensor(item.waveform), item.rate_hz, extractor.sampling_rate)
        return pack([self._piece(waveform, window) for window in windows(_seconds(waveform, extractor), WINDOW_S)])

    def _piece(self, waveform: Tensor, window: Window) -> Piece:
        extractor = self._processor.feature_extractor
        values = _sound(extractor, cut(waveform, extractor.sampling_rate, window))
        step_s = extractor.hop_length / extractor.sampling_rate
        begins = window.start + torch.arange(values.shape[-1] // extractor.hop_length) * step_s
        slots, times = owned(torch.stack([begins, begins + step_s], dim=1), window.low, window.high)
        return Piece({"input_values": values}, window.end - window.start, slots, times)

    def _token_dim(self) -> int:
        return int(self._net.config.audio_config.audio_config.hidden_size)

    def _input(self) -> str:
        rate_hz = self._processor.feature_extractor.sampling_rate
        return f"{rate_hz / 1000:g} kHz, one channel; windows of {WINDOW_S:g} s"

    def _forward(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        heard = self._net.audio_model.audio_encoder(**inputs)
        return _unit(self._net.audio_model.audio_head(heard.pooler_output)), heard.last_hidden_state

    def _finish(self, rows: Tensor) -> Tensor:
        a = _unit(rows)
        return _row(a, torch.zeros_like(a), torch.zeros_like(a), MEDIA_WEIGHT * a)


class _Sees(_PeAv):
    """Frames, and the sound that may go with them."""

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which takes everything, belongs to this tower."""
        return name.startswith(("video_model.video_encoder.", "video_model.video_head."))

    def _token_dim(self) -> int:
        return int(self._net.config.video_config.video_config.hidden_size)

    def _forward(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        if "input_values" not in inputs:
            v, states = self._see(inputs["pixel_values_videos"])
            return torch.cat([v, torch.zeros_like(v)], dim=1), states
        both = self._net.audio_video_encoder(**inputs)
        v = _unit(self._net.video_model.video_head(both.video_model_output.pooler_output))
        av = _unit(self._net.audio_video_head(both.pooler_output))
        return torch.cat([v, av], dim=1), both.video_model_output.last_hidden_state

    def _finish(self, rows: Tensor) -> Tensor:
        v, av = (_unit(part) for part in rows.chunk(2, dim=1))
        silent = ~av.any(dim=1, keepdim=True)
        return _row(torch.zeros_like(v), v * silent, av, MEDIA_WEIGHT * v)


@register("pe-av-image")
class PeAvImageEncoder(_Sees):
    """Pictures, each a clip of one frame → unit rows [B, 4 D]; as a sequence, that frame, at no time."""

    modality = Modality.IMAGE

    def prepare(self, item: Image) -> Prepared:
        """`pixel_values_videos`: float32 [1, num_frames, 3, side, side]; one, or as many as the checkpoint wants."""
        pixels = self._pixels(torch.tensor(item.pixels).permute(2, 0, 1)[None])
        slots = torch.zeros(pixels.shape[1], dtype=torch.long)
        return pack([Piece({"pixel_values_videos": pixels}, 1.0, slots, torch.zeros(1, 2))])

    def _input(self) -> str:
        size = self._processor.video_processor.size
        return f"a picture as a clip of one frame, {size['height']} x {size['width']} px"


@register("pe-av-video")
class PeAvVideoEncoder(_Sees):
    """Clips, with their sound → unit rows [B, 4 D]; long ones in windows; as a sequence, a state for each frame."""

    modality = Modality.VIDEO

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which takes everything, belongs to this tower."""
        own = ("audio_video_encoder.", "audio_video_head.", "audio_model.audio_encoder.")
        return _Sees.uses(name) or name.startswith(own)

    def prepare(self, item: Video) -> Prepared:
        """`pixel_values_videos`, and `input_values` where the clip has a sound, of every window."""
        frames = torch.tensor(item.frames).permute(0, 3, 1, 2)
        times = torch.tensor(item.times, dtype=torch.float32)[:, None].expand(-1, 2)
        if item.sound is None:  # all frames at once: they are few, however long the clip
            return pack([self._piece(frames, times, -torch.inf, torch.inf, {}, 1.0)])
        extractor = self._processor.feature_extractor
        waveform = resample(torch.tensor(item.sound.waveform), item.sound.rate_hz, extractor.sampling_rate)
        wanted = round(item.duration_s * extractor.sampling_rate)
        waveform = F.pad(waveform, (0, max(0, wanted - len(waveform))))  # the frames may outlast the sound
        pieces = []
        for window in windows(_seconds(waveform, extractor), WINDOW_S):
            heard = {"input_values": _sound(extractor, cut(waveform, extractor.sampling_rate, window))}
            inside = _inside(times[:, 0], window)
            pieces.append(
                self._piece(frames[inside], times[inside], window.low, window.high, heard, window.end - window.start)
            )
        return pack(pieces)

    def _piece(
        self, frames: Tensor, times: Tensor, low: float, high: float, heard: Mapping[str, Tensor], weight: float
    ) -> Piece:
        pixels = self._pixels(frames)
        slots, kept = owned(times, low, high)
        which = torch.arange(pixels.shape[1]) * (len(frames) - 1) // max(1, pixels.shape[1] - 1)  # frame each one is
        return Piece({"pixel_values_videos": pixels, **heard}, weight, slots[which], kept)

    def _input(self) -> str:
        size = self._processor.video_processor.size
        frames = self._processor.video_processor.num_frames or "all decoded"
        return f"{frames} frames, {size['height']} x {size['width']} px, with their sound; windows of {WINDOW_S:g} s"


def _sound(extractor: Any, stretch: Tensor) -> Tensor:
    """float32 [num_samples] → the network's [1, 1, num_samples], whole tokens."""
    values: Tensor = extractor(stretch.numpy(), sampling_rate=extractor.sampling_rate, return_tensors="pt")[
        "input_values"
    ]
    return values.reshape(1, 1, -1)


def _seconds(waveform: Tensor, extractor: Any) -> float:
    return len(waveform) / float(extractor.sampling_rate)


def _inside(times: Tensor, window: Window) -> Tensor:
    """Which frames lie in a window; where none does, the nearest."""
    inside = (times >= window.start) & (times <= window.end)
    if not inside.any():
        inside[(times - (window.start + window.end) / 2).abs().argmin()] = True
    return inside


def _row(*blocks: Tensor) -> Tensor:
    return F.normalize(torch.cat(blocks, dim=1), dim=1)


def _unit(rows: Tensor) -> Tensor:
    return F.normalize(rows.float(), dim=-1)


@cache
def _load(checkpoint: str, revision: str | None) -> tuple[Any, Any]:
    """One network for all towers: whichever is made first loads it."""
    ensure_torch_extensions()
    from transformers import PeAudioVideoModel, PeAudioVideoProcessor

    class Loadable(PeAudioVideoModel):
        """The library's class, which no checkpoint loads into beside timm 1.0.31: there, timm's rotary module has two
        buffers, and the library leaves one of them alone, but would tie the other as if it were a parameter.
        """

        _tied_weights_keys = {  # noqa: RUF012  (as the library declares it)
            tied.replace(r"rope\.pos_embed", r"rope\."): source.replace(r"rope\.pos_embed", r"rope\.")
            for tied, source in PeAudioVideoModel._tied_weights_keys.items()
        }

    with loading(checkpoint, revision):
        network = load_network(Loadable, checkpoint, revision)
        processor: Any = PeAudioVideoProcessor.from_pretrained(checkpoint, revision=pinned(checkpoint, revision))
        check_tokenizer(processor.tokenizer, checkpoint)
    return network, processor
