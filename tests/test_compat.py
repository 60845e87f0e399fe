"""CPU-only torch beside CUDA-built torchvision and torchaudio: every check in a fresh interpreter."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ENSURE = "from unimma.compat import ensure_torch_extensions\nensure_torch_extensions()\n"


def run(code: str) -> str:
    """The standard output of a fresh interpreter that first calls the function under test."""
    done = subprocess.run(
        [sys.executable, "-c", ENSURE + code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_torchaudio_resamples_and_makes_spectrograms():
    code = """
import math, torch, torchaudio
tone = torch.sin(2 * math.pi * 440 * torch.arange(16000) / 16000)
half = torchaudio.functional.resample(tone, 16000, 8000)
peak_hz = torch.fft.rfft(half).abs().argmax().item()          # one second: one bin a hertz
mel = torchaudio.transforms.MelSpectrogram(16000, n_fft=1024, hop_length=256, n_mels=64)(tone)
low = torchaudio.functional.lfilter(tone, torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5]))
print(peak_hz, len(half), *mel.shape, bool(torch.isfinite(low).all()))
"""
    assert run(code) == "440 8000 64 63 True"


def test_torchvision_transforms_resize():
    code = """
import torch
from torchvision.transforms import v2
print(v2.functional.resize(torch.full((3, 16, 24), 7.0), [8, 12]).unique().tolist())
"""
    assert run(code) == "[7.0]"


def test_transformers_gives_its_bert():
    code = """
from transformers import BertConfig, BertModel
tiny = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=9)
print(BertModel(tiny).config.hidden_size)
"""
    assert run(code) == "8"


@pytest.mark.skipif(importlib.util.find_spec("open_clip") is None, reason="open_clip_torch is not installed")
def test_open_clip_can_be_imported():
    assert run("import open_clip\nprint('ViT-B-32' in open_clip.list_models())") == "True"


def test_calling_it_twice_and_from_threads_changes_nothing():
    code = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda _: ensure_torch_extensions(), range(32)))
import torchaudio, torchvision
ensure_torch_extensions()
print("fine")
"""
    assert run(code) == "fine"


def test_what_needs_the_compiled_half_says_so():
    code = """
import torch, torchaudio
if torch.version.cuda is None and not torchaudio._extension._IS_ALIGN_AVAILABLE:
    try:
        torchaudio.functional.forced_align(torch.zeros(1, 4, 3), torch.ones(1, 2, dtype=torch.int32))
    except RuntimeError as error:
        print("built for this torch" in str(error))
else:
    print(True)
"""
    assert run(code) == "True"
