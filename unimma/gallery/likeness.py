"""Which pictures and clips are copies of one another: a short perceptual hash of each, and a distance of two.

A picture is brought to 64 x 64; of its brightness the low frequencies are kept as signs (pHash: Zauner 2010,
"Implementation and Benchmarking of Perceptual Image Hash Functions"), here 16 x 16 of them, so that two pages of text
differ, and with a third value for "too weak to tell", so that a blank picture's noise does not decide. Beside them
stand the mean colours of 4 x 4 fields, since a red bus is no copy of a blue one. A clip is four of its frames and its
length.

Re-encoding, resizing, brightness and a small mark leave a copy alike; mirroring, turning and cropping by more than a
few per cent do not. A burst of photos, or two frames of a camera that stands still, are alike.
`python -m benchmarks.likeness` measures both sides of the line.
"""

import struct

import numpy as np
import numpy.typing as npt
from PIL import Image as PIL

from unimma.types import Decoded, Image, Video

IntArray = npt.NDArray[np.int64]

ALIKE_UP_TO = 42
INCOMPARABLE = 999  # distance of a picture and a clip, or of clips of different lengths
_SIDE = 64  # pixels that a picture is brought to
_KEPT = 16  # frequencies each way, of them all but the mean
_FIELDS = 4  # of mean colour, each way
_NUM_FRAMES = 4
_NOISE = 8.0  # amplitudes below may come from compression
_BLANK_BITS = 16  # a picture with fewer frequencies that can be told is judged by its brightness as well
_LENGTH_S, _LENGTH_SHARE = 0.5, 0.05  # by how much the lengths of copies may differ: the larger of the two
_PICTURE, _CLIP = b"p", b"c"
_LENGTH_BYTES = 4
_SIGN_BYTES = 2 * _KEPT * _KEPT // 8
_FRAME_BYTES = _SIGN_BYTES + 3 * _FIELDS * _FIELDS

_steps = np.arange(_SIDE)
_COSINES = np.cos(np.pi / _SIDE * (_steps[None, :] + 0.5) * _steps[:_KEPT, None]) * (2 / _SIDE) ** 0.5
_COSINES[0] /= 2**0.5  # orthonormal rows, float64 [_KEPT, _SIDE]


def likeness(decoded: Decoded) -> bytes | None:
    """The perceptual hash of a picture (113 bytes) or clip (453 bytes), to be compared by `distance` and `is_alike`.

    None for text and sound, and for a blank clip with sound: its pictures do not tell it from other sound.
    """
    if isinstance(decoded, Image):
        return _PICTURE + _hash(decoded.pixels)
    if not isinstance(decoded, Video):
        return None
    places = ((np.arange(_NUM_FRAMES) + 0.5) * len(decoded.frames) / _NUM_FRAMES).astype(int)
    hashes = [_hash(decoded.frames[place]) for place in places]
    if decoded.sound is not None and not any(any(each[:_SIGN_BYTES]) for each in hashes):
        return None
    return _CLIP + struct.pack("<f", decoded.duration_s) + b"".join(hashes)


def distance(a: bytes, b: bytes) -> int:
    """How far two hashes lie apart: 0 for the same picture, 60 and more for unrelated ones.

    It is the share of frequencies that differ, in per cent, and half of the difference in colour (0 to 255) of the
    field where that is largest; of two blank pictures, that difference in colour or brightness. Of clips it is the mean
    over their frames; `INCOMPARABLE` where their lengths differ, or one is a picture and one a clip.
    """
    if len(a) != len(b) or a[:1] != b[:1]:
        return INCOMPARABLE
    return int(distances(np.frombuffer(a, np.uint8), np.frombuffer(b, np.uint8)[None])[0])


def distances(one: npt.NDArray[np.uint8], others: npt.NDArray[np.uint8]) -> IntArray:
    """The `distance` of one hash, uint8 [113] or [453], from others of its kind, [n, 113] or [n, 453]: int64 [n]."""
    if one[:1].tobytes() == _PICTURE:
        return _frame_distances(one[1:], others[:, 1:]).round().astype(np.int64)
    start = 1 + _LENGTH_BYTES
    frames = others[:, start:].reshape(len(others), _NUM_FRAMES, _FRAME_BYTES)
    apart = _frame_distances(one[start:].reshape(_NUM_FRAMES, _FRAME_BYTES), frames).mean(axis=1)
    one_s, others_s = _lengths_s(one[None])[0], _lengths_s(others)
    slack_s = np.maximum(_LENGTH_S, _LENGTH_SHARE * np.maximum(one_s, others_s))
    return np.where(np.abs(others_s - one_s) <= slack_s, apart.round().astype(np.int64), INCOMPARABLE)


def is_alike(a: bytes, b: bytes) -> bool:
    """Whether one is a copy of the other, as far as can be told from their hashes."""
    return distance(a, b) <= ALIKE_UP_TO


def _hash(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Of uint8 [height, width, 3]: bits of clearly positive and of clearly negative frequencies, then field colours."""
    small = PIL.fromarray(pixels).resize((_SIDE, _SIDE), PIL.Resampling.BOX).convert("YCbCr")
    channels = np.asarray(small, np.float64)
    waves = (_COSINES @ channels[..., 0] @ _COSINES.T).ravel()
    waves[0] = 0.0  # the mean
    clear = max(_NOISE, 0.5 * float(np.median(np.abs(waves[1:]))))
    wide = _SIDE // _FIELDS
    fields = channels.reshape(_FIELDS, wide, _FIELDS, wide, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    signs = np.packbits(np.concatenate([waves > clear, waves < -clear]))
    return bytes(signs) + bytes(fields)


def _lengths_s(clips: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """What hashes of clips, uint8 [n, 453], say of their lengths: float64 [n]."""
    return np.ascontiguousarray(clips[:, 1 : 1 + _LENGTH_BYTES]).view("<f4")[:, 0].astype(np.float64)


def _frame_distances(one: npt.NDArray[np.uint8], others: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Of uint8 [..., 112] from uint8 [n, ..., 112]: float64 [n, ...]."""
    one_signs, signs = one[..., :_SIGN_BYTES], others[..., :_SIGN_BYTES]
    num_clear = np.bitwise_count(one_signs | signs).sum(axis=-1, dtype=np.int64)
    num_different = np.bitwise_count(one_signs ^ signs).sum(axis=-1, dtype=np.int64)
    apart = np.abs(others[..., _SIGN_BYTES:].astype(np.int16) - one[..., _SIGN_BYTES:].astype(np.int16))
    apart = apart.reshape(*apart.shape[:-1], _FIELDS * _FIELDS, 3)
    # copies are often brighter or darker, so that brightness counts only where there is nothing else to see
    colour = np.where(num_clear < _BLANK_BITS, 2 * apart.max(axis=(-2, -1)), apart[..., 1:].max(axis=(-2, -1)))
    return np.asarray(100 * num_different / np.maximum(num_clear, _BLANK_BITS) + colour / 2)
