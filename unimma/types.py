"""What flows through UniMMA: decoded media in, items in a gallery, ranked hits out. Frozen, numpy only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

MetadataValue = str | int | float | bool
Metadata = Mapping[str, MetadataValue]
_NO_METADATA: Metadata = MappingProxyType({})


class Modality(StrEnum):
    """The four kinds of media. A member equals its name: `Modality.TEXT == "text"`."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True)
class Text:
    """A decoded text: the words alone, Unicode, without NUL, not empty."""

    text: str
    name: str = ""

    @property
    def modality(self) -> Modality:
        return Modality.TEXT


@dataclass(frozen=True, eq=False)
class Image:
    """A decoded picture, upright, alpha composed onto white.

    Attributes:
        pixels: uint8 [height, width, 3], RGB, read-only.
        name: file name without any folder, or "".
    """

    pixels: npt.NDArray[np.uint8]
    name: str = ""

    @property
    def modality(self) -> Modality:
        return Modality.IMAGE


@dataclass(frozen=True, eq=False)
class Audio:
    """A decoded sound, mixed down to one channel.

    Attributes:
        waveform: float32 [num_samples], about -1 to 1, finite, read-only.
        rate_hz: samples a second; `settings.AUDIO_RATE_HZ` when it comes from `unimma.media`.
        name: file name without any folder, or "".
    """

    waveform: npt.NDArray[np.float32]
    rate_hz: int
    name: str = ""

    @property
    def modality(self) -> Modality:
        return Modality.AUDIO

    @property
    def duration_s(self) -> float:
        return len(self.waveform) / self.rate_hz


@dataclass(frozen=True, eq=False)
class Video:
    """A decoded clip: frames sampled evenly over its length, upright, and its sound.

    Attributes:
        frames: uint8 [num_frames, height, width, 3], RGB, read-only.
        times: float64 [num_frames], seconds from the start, rising.
        duration_s: length of the whole clip, seconds.
        sound: the clip's sound, or None where it has none.
        name: file name without any folder, or "".
    """

    frames: npt.NDArray[np.uint8]
    times: npt.NDArray[np.float64]
    duration_s: float
    sound: Audio | None = None
    name: str = ""

    @property
    def modality(self) -> Modality:
        return Modality.VIDEO


Decoded = Text | Image | Audio | Video


@dataclass(frozen=True)
class Span:
    """A stretch of an item: seconds for sound and video, character offsets for text."""

    start: float
    end: float


@dataclass(frozen=True)
class Item:
    """One thing in a gallery.

    Attributes:
        modality: what it is.
        title: a short name for people.
        uri: path of its media file: before adding, the file to add; in a gallery, the file kept there.
        id: hash of the content, set by the gallery ("" before).
        span: the stretch of the file that it stands for; None for all of it.
        metadata: flat facts to filter by, e.g. {"source": "starter", "label": "rain on a window"}; "caption" holds what
            people say of it.
        thumbnail: WebP bytes: a small picture, a poster frame, a drawn waveform; None for text.
        text: the words of a text item, else None.
        added: when it came in, set by the gallery: "2026-11-23T17:05:00Z" ("" before).
        duration_s: length of a sound or clip, seconds; None for others.
        num_bytes: size of the kept media file.
    """

    modality: Modality
    title: str
    uri: str = ""
    id: str = ""
    span: Span | None = None
    metadata: Metadata = field(default_factory=lambda: _NO_METADATA)
    thumbnail: bytes | None = field(default=None, repr=False)
    text: str | None = None
    added: str = ""
    duration_s: float | None = None
    num_bytes: int = 0


@dataclass(frozen=True)
class Hit:
    """One ranked answer.

    Attributes:
        item: what was found.
        rank: 1 for the first.
        score: in [0, 1], what the list is sorted by, comparable over modalities.
        similarity: raw cosine of query and item, in [-1, 1].
        span: where in the item the match lies; None for the whole item.
        alike: near-duplicates of the item that matched too and are stacked below it.
        exact: whether title, caption or text hold the words that the query put in quotation marks.
        likely: whether it stands out far enough to be shown among the likely matches (`unimma.ranking.is_likely`).
    """

    item: Item
    rank: int
    score: float
    similarity: float
    span: Span | None = None
    alike: tuple[Item, ...] = ()
    exact: bool = False
    likely: bool = False
