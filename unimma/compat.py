"""The one place that makes CPU-only torch work beside the CUDA-built torchvision and torchaudio that PyPI serves.

Their compiled halves look for CUDA libraries that a CPU build of torch does not have. torchvision then fails on import
(`operator torchvision::nms does not exist`), and so does torchaudio (`OSError: libc10_cuda.so`); transformers and
open_clip import them when they are merely installed, so these fail too. Their Python halves (transforms, resampling,
spectrograms) need nothing compiled. Here the compiled half that cannot load is declared absent, and the rest works.
Out of reach stay what only the compiled half could do: `torchvision.ops.nms`, `torchvision.io`, forced alignment.
"""

import functools
import importlib.util
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import NoReturn

import torch

# What `torchvision/_meta_registrations.py` describes on import, whether or not the compiled half is there.
_TORCHVISION_OPERATORS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_lock = threading.Lock()
_done = False
_declared: list[torch.library.Library] = []  # an operator lives as long as the library object that declared it


def ensure_torch_extensions() -> None:
    """Make `torchvision` and `torchaudio` importable; call it before importing them, transformers or open_clip.

    Does nothing where torch is a CUDA build, where the packages are absent, or where their compiled halves load (builds
    for CPU). Safe to call again and from several threads. Tried with torch 2.13 beside torchvision 0.23, 0.26 and 0.28
    and torchaudio 2.8 to 2.11.
    """
    global _done
    with _lock:
        if _done or torch.version.cuda is not None:
            return
        if not _loads("torchvision", "_C*.so"):
            _declare_torchvision_operators()
        if not _loads("torchaudio", "lib/libtorchaudio*.so"):
            sys.modules.setdefault("torchaudio._extension", _torchaudio_extension())
        _done = True


def _loads(package: str, pattern: str) -> bool:
    """Whether the package's compiled half can be loaded; True where there is none, so nothing to make up for."""
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    try:
        for library in (found for folder in folders for found in sorted(Path(folder).glob(pattern))):
            torch.ops.load_library(library)
    except OSError:
        return False
    return True


def _declare_torchvision_operators() -> None:
    missing = [schema for name, schema in _TORCHVISION_OPERATORS.items() if not hasattr(torch.ops.torchvision, name)]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in missing:
        library.define(schema)
    _declared.append(library)


def _torchaudio_extension() -> ModuleType:
    """What `torchaudio._extension` is when torchaudio was built without its compiled half."""
    extension = ModuleType("torchaudio._extension")
    extension.__dict__.update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_RIR_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _check_cuda_version=lambda: None,
        _load_lib=lambda library: False,
        fail_if_no_rir=_absent,
        fail_if_no_align=_absent,
        lazy_import_sox_ext=lambda: SimpleNamespace(is_available=lambda: False),  # torchaudio 2.8 asks
    )
    return extension


def _absent(function: Callable[..., object]) -> Callable[..., NoReturn]:
    """In the place of a function that only the compiled half can do: says so when it is called."""

    @functools.wraps(function)
    def say_so(*args: object, **kwargs: object) -> NoReturn:
        raise RuntimeError(f"{function.__name__} needs a torchaudio that was built for this torch")

    return say_so
