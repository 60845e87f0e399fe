"""Label-free variations of decoded pictures and sounds: a training item seen or heard a little differently.

Pure functions of an item and a random generator; the item itself is never changed.
"""

import numpy as np
import numpy.typing as npt
import scipy.fft
from PIL import Image as PillowImage
from PIL import ImageEnhance, ImageFilter

from unimma.types import Audio, Image

FloatArray = npt.NDArray[np.float32]
MIN_CROP_SHARE = 0.5  # of a picture's area
LOW_PASS_HZ = (2_500.0, 16_000.0)  # sources end anywhere between a telephone and a studio
MIN_GAIN_DB, MAX_GAIN_DB = -12.0, 6.0
MIN_SNR_DB, MAX_SNR_DB = 10.0, 40.0
MAX_SPEED_CHANGE = 0.15


def vary_image(image: Image, rng: np.random.Generator) -> Image:
    """Random resized crop, mirror, brightness, contrast, saturation, blur, and loss of resolution.

    Source: the views of SimCLR, Chen et al. 2020, arXiv 2002.05709, appendix A, in a milder form.
    """
    picture = PillowImage.fromarray(image.pixels)
    picture = _crop(picture, rng)
    if rng.random() < 0.5:
        picture = picture.transpose(PillowImage.Transpose.FLIP_LEFT_RIGHT)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(rng.uniform(0.7, 1.3))
    if rng.random() < 0.3:
        side = int(rng.integers(48, 161))  # sources are 64 to 500 px: the model must not tell them by sharpness
        picture = picture.resize((side, side), PillowImage.Resampling.BICUBIC)
    elif rng.random() < 0.2:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))
    return Image(np.asarray(picture), image.name)


def _crop(picture: PillowImage.Image, rng: np.random.Generator) -> PillowImage.Image:
    share, ratio = rng.uniform(MIN_CROP_SHARE, 1.0), np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
    width = max(1, min(picture.width, round(picture.width * np.sqrt(share * ratio))))
    height = max(1, min(picture.height, round(picture.height * np.sqrt(share / ratio))))
    left, top = rng.integers(0, picture.width - width + 1), rng.integers(0, picture.height - height + 1)
    return picture.crop((int(left), int(top), int(left) + width, int(top) + height))


def vary_audio(audio: Audio, rng: np.random.Generator) -> Audio:
    """Speed (with pitch), time shift, low-pass at a random edge, gain, and white noise at a random distance."""
    wave = _speed(audio.waveform, 1.0 + rng.uniform(-MAX_SPEED_CHANGE, MAX_SPEED_CHANGE))
    wave = np.roll(wave, int(rng.integers(0, len(wave))))
    if rng.random() < 0.6:
        wave = low_pass(wave, audio.rate_hz, np.exp(rng.uniform(*np.log(LOW_PASS_HZ))))
    wave = wave * 10 ** (rng.uniform(MIN_GAIN_DB, MAX_GAIN_DB) / 20)
    if rng.random() < 0.5:
        wave = add_noise(wave, rng.uniform(MIN_SNR_DB, MAX_SNR_DB), rng)
    return Audio(np.clip(wave, -1, 1).astype(np.float32), audio.rate_hz, audio.name)


def low_pass(waveform: FloatArray, rate_hz: int, edge_hz: float) -> FloatArray:
    """float32 [n] without what lies above `edge_hz`: Butterworth magnitude of order 8, no phase shift, same length."""
    size = scipy.fft.next_fast_len(len(waveform), real=True)
    hz = scipy.fft.rfftfreq(size, 1 / rate_hz)
    gain = (1 / np.sqrt(1 + (hz / edge_hz) ** 16)).astype(np.float32)
    passed: FloatArray = scipy.fft.irfft(scipy.fft.rfft(waveform, size) * gain, size)[: len(waveform)]
    return passed


def add_noise(waveform: FloatArray, snr_db: float, rng: np.random.Generator) -> FloatArray:
    """float32 [n] with white noise `snr_db` below the power of the waveform."""
    power = float(np.mean(np.square(waveform, dtype=np.float64)))
    noise = rng.standard_normal(len(waveform), dtype=np.float32)
    return waveform + noise * np.float32(np.sqrt(power * 10 ** (-snr_db / 10)))


def _speed(waveform: FloatArray, factor: float) -> FloatArray:
    positions = np.arange(0, len(waveform) - 1, factor)
    return np.interp(positions, np.arange(len(waveform)), waveform).astype(np.float32) if len(positions) else waveform
