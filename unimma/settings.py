"""Every limit and default in one place, each overridable by an environment variable UNIMMA_<NAME> or an argument."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path, user_data_path

from unimma.errors import ConfigError

AUDIO_RATE_HZ = 44_100  # what every decoded sound is brought to: the widest band that a bundled encoder hears
NUM_FRAMES = 16  # frames sampled evenly from a clip
MAX_HITS = 1_000  # of one search
EXACT_SEARCH_UP_TO = 25_000  # vectors of one modality: there Chroma becomes quicker (benchmarks/search_switch.py)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one file may cost; anything over it is refused before it is allocated."""

    max_file_bytes: int = 200_000_000
    max_text_chars: int = 100_000
    max_image_pixels: int = 50_000_000  # a 50-megapixel photo; 150 MB as RGB
    max_frame_pixels: int = 8_847_360  # one video frame: 4096 x 2160
    max_animation_frames: int = 2_000  # of a moving GIF, WebP, APNG or AVIF
    max_audio_seconds: float = 1_800.0
    max_video_seconds: float = 7_200.0
    max_streams: int = 32
    max_decode_seconds: float = 60.0  # of wall time, to look at a file
    max_encode_seconds: float = 1_800.0  # of wall time, to re-encode one that is kept
    max_decode_bytes: int = 2_000_000_000  # of a decoding process: what the largest file within the rest needs
    max_silent_seconds: float = 30.0  # without a packet or frame, then a decoding process is taken to be stuck

    @classmethod
    def from_env(cls) -> "Limits":
        """The defaults, with every UNIMMA_MAX_… of the environment put in their place.

        Raises:
            ConfigError: a value that is no positive number.
        """
        return cls(**{f.name: _env_number(f.name, f.default) for f in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """What one visitor may cost a host."""

    max_visitor_items: int = 200
    max_visitor_bytes: int = 500_000_000  # of kept media
    max_visitor_seconds: float = 600.0  # of computing, an hour
    max_visits: int = 200  # at once

    @classmethod
    def from_env(cls) -> "Quotas":
        """The defaults, with every UNIMMA_MAX_VISIT… of the environment put in their place.

        Raises:
            ConfigError: a value that is no positive number.
        """
        return cls(**{f.name: _env_number(f.name, f.default) for f in fields(cls)})


def _env_number(name: str, default: Any) -> Any:
    """The environment's UNIMMA_<NAME> as a positive number of the default's type, else the default."""
    raw = os.environ.get(f"UNIMMA_{name.upper()}")
    if raw is None:
        return default
    try:
        value = type(default)(raw)
    except ValueError:
        value = 0
    if value <= 0:
        raise ConfigError(f"UNIMMA_{name.upper()}={raw!r}", "a positive number", f"Leave it out for {default}.")
    return value


def accepts_license() -> bool:
    """Whether UNIMMA_ACCEPT_LICENSE says that weights may be used whose licence allows no commercial use."""
    return os.environ.get("UNIMMA_ACCEPT_LICENSE", "").lower() in ("1", "true", "yes")


def data_dir() -> Path:
    """Where galleries live: UNIMMA_DATA_DIR, else the user's data folder."""
    return (
        Path(os.environ["UNIMMA_DATA_DIR"])
        if os.environ.get("UNIMMA_DATA_DIR")
        else user_data_path("unimma", appauthor=False)
    )


def cache_dir() -> Path:
    """Where what can be fetched or computed again lives: UNIMMA_CACHE_DIR, else the user's cache folder."""
    return (
        Path(os.environ["UNIMMA_CACHE_DIR"])
        if os.environ.get("UNIMMA_CACHE_DIR")
        else user_cache_path("unimma", appauthor=False)
    )


def assets_dir() -> Path:
    """The bundled checkpoint and starter gallery: inside the package when installed from a wheel, else beside it."""
    inside = Path(__file__).parent / "assets"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "assets"
