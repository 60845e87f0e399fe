"""Checkpoints through the libraries that made them: pinned, loaded whole, and one clear error where that fails."""

import logging
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import EncoderInfo
from unimma.errors import ModelError
from unimma.hub_client import hub_error, pinned_name, quiet_client

# The commits that the encoders' default checkpoints are taken at: what stands there cannot change under its user.
REVISIONS = {
    "MCG-NJU/videomae-base": "dc740ceda42fce44faed2ea03c6d447db72f6af9",
    "MIT/ast-finetuned-audioset-10-10-0.4593": "f826b80d28226b62986cc218e5cec390b1096902",
    "Qwen/Qwen3-VL-Embedding-2B": "9f2f7e710d6d81056aa5c0a4f04764fec6bb7bda",
    "facebook/dinov2-base": "f9e44c814b77203eaa57a6bdbbd535f21ede1415",
    "facebook/dinov3-vits16-pretrain-lvd1689m": "114c1379950215c8b35dfcd4e90a5c251dde0d32",
    "facebook/hubert-base-ls960": "dba3bb02fda4248b6e082697eee756de8fe8aa8a",
    "facebook/pe-av-small": "dd050762bb9704ae9cd996ca45532a98f81d817e",
    "facebook/timesformer-base-finetuned-k400": "8aaf40ea7d3d282dcb0a5dea01a198320d15d6c0",
    "facebook/vjepa2-vitl-fpc64-256": "b3c1679b7c34d3255ef3547f27c7b226aefab26f",
    "google-bert/bert-base-multilingual-cased": "3f076fdb1ab68d5b2880cb87a0886f315b8146f8",
    "google-bert/bert-base-uncased": "86b5e0934494bd15c9632b12f734a8a67f723594",
    "google/embeddinggemma-2": "914f7f89142e33e77833254d9c9b90c3cef7303b",
    "google/siglip2-base-patch16-224": "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2",
    "google/vit-base-patch16-224": "3f49326eb077187dfe1c2a2bb15fbd74e6ab91e3",
    "laion/larger_clap_general": "ada0c23a36c4e8582805bb38fec3905903f18b41",
    "meta-llama/Llama-3.2-1B": "4e20de362430cd3b72f300e6b0f18e50e7166e08",
    "openai/clip-vit-base-patch32": "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268",
    "openai/whisper-small": "973afd24965f72e36ca33b3055d56a652f456b4d",
    "sentence-transformers/all-MiniLM-L6-v2": "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    "timm/PE-Core-T-16-384": "7fe539ed578ac49a1c2b4f946e4b0747704c825a",
}
_BY_PIP = {"PIL": "pillow", "google": "protobuf", "open_clip": "open-clip-torch"}  # import → package, where they differ


def pinned(checkpoint: str, revision: str | None) -> str:
    """The revision to take a checkpoint at: the one asked for, else the one that we know it by, else the newest."""
    return revision or REVISIONS.get(checkpoint, "main")


def shown(checkpoint: str, revision: str | None = None) -> str:
    """A checkpoint's name for people: of a folder its own name alone, of the Hub user/repo@revision."""
    if _is_folder(checkpoint):
        return Path(checkpoint).name
    return pinned_name(checkpoint, revision or REVISIONS.get(checkpoint))


def described(info: EncoderInfo, checkpoint: str, revision: str | None, *, features: int, input: str) -> EncoderInfo:
    """A class's `info`, of which the weights are its default, as that of an encoder with this checkpoint."""
    weights = shown(checkpoint, revision)
    licence = info.licence if weights == info.weights else "as the checkpoint states"
    return replace(info, weights=weights, licence=licence, features=features, input=input)


@contextmanager
def loading(checkpoint: str, revision: str | None = None) -> Iterator[None]:
    """Around a library's own loading of a checkpoint (a repository on the Hub, or a folder).

    Raises:
        ModelError: what the library said, told in our words: no network, no such repository, revision or folder, gated,
            damaged files, another architecture's weights, a package that is missing, or too little memory.
    """
    name = shown(checkpoint, revision)
    if _is_folder(checkpoint) and not Path(checkpoint).is_dir():
        raise ModelError(f"no folder {name}", "one that holds a checkpoint, or user/repo on the Hub", "Check the path.")
    ensure_torch_extensions()
    try:
        with _quietly():
            yield
    except ModelError:
        raise
    except ImportError as error:
        package = _package(error)
        came = f"{name} needs the package {package}" if package else f"{name} needs a package that is not there"
        todo = f"Run: python -m pip install {package or 'unimma[encoders]'}"
        raise ModelError(came, "it beside this one", todo) from error
    except Exception as error:  # whatever libraries raise: of tokenizers it is a bare Exception
        told = None if _is_folder(checkpoint) else hub_error(error, checkpoint, revision or REVISIONS.get(checkpoint))
        raise told or _unreadable(error, name) from error


def _package(error: ImportError) -> str:
    """What pip calls the package whose lack this tells, "" where that is not clear."""
    lacking = re.search(r"requires the (\w+) library", str(error))  # how transformers tells it
    name = error.name or (lacking[1].lower() if lacking else "")
    return _BY_PIP.get(name.partition(".")[0], name.partition(".")[0].replace("_", "-"))


def load_network(
    kind: Any, checkpoint: str, revision: str | None, *, spare: Collection[str] = (), **options: Any
) -> Any:
    """A network of transformers, all its weights from the checkpoint: float32, on the CPU, frozen. Inside `loading`.

    Args:
        kind: its class.
        spare: names of weights that a checkpoint may lack, since what is computed here does not depend on them.
        options: more for `from_pretrained`.
    Raises:
        ModelError: the checkpoint is of another architecture, or lacks weights; the library would make them up.
    """
    from transformers import AutoConfig

    name, commit = shown(checkpoint, revision), pinned(checkpoint, revision)
    config = AutoConfig.from_pretrained(checkpoint, revision=commit)
    if not isinstance(config, kind.config_class):
        came, expected = f"{name} is a checkpoint of {config.model_type}", f"one of {kind.config_class.model_type}"
        raise ModelError(came, expected, "Choose another one, or the encoder that reads it.")
    network, report = kind.from_pretrained(
        checkpoint, revision=commit, dtype=torch.float32, output_loading_info=True, **options
    )
    check_weights(name, set(report["missing_keys"]) - set(spare))
    return network.eval().requires_grad_(False)


def tokenizer_of(checkpoint: str, revision: str | None) -> Any:
    """A checkpoint's tokenizer.

    Raises:
        ModelError: it cannot be had or read.
    """
    tokenizer = part_of("AutoTokenizer", checkpoint, revision)
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):  # the library makes an empty one without a word
        came = f"{shown(checkpoint, revision)} without a tokenizer"
        raise ModelError(came, "a whole checkpoint", "Fetch it again, or choose another one.")
    return tokenizer


def part_of(kind: str, checkpoint: str, revision: str | None) -> Any:
    """A checkpoint's processor or the like: `kind` is the name of transformers' class that finds it.

    Raises:
        ModelError: it cannot be had or read.
    """
    with loading(checkpoint, revision):
        import transformers

        return getattr(transformers, kind).from_pretrained(checkpoint, revision=pinned(checkpoint, revision))


def check_weights(name: str, missing: Collection[str]) -> None:
    """Raises ModelError where a checkpoint lacks weights."""
    if missing:
        came = f"{name} lacks {len(missing)} of the weights, such as {min(missing)}"
        raise ModelError(came, "a whole checkpoint of that architecture", "Fetch it again, or choose another one.")


def half_on_gpu(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 where a CUDA device computes with it, else as the weights are."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


def _is_folder(checkpoint: str) -> bool:
    return Path(checkpoint).is_absolute() or checkpoint.startswith((".", "~")) or Path(checkpoint).is_dir()


def _unreadable(error: BaseException, name: str) -> ModelError:
    out_of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
    if out_of_memory or "allocate memory" in str(error):  # the latter is how torch says it on a CPU
        return ModelError(f"{name} needs more memory than there is", "a smaller model", "Choose another one.")
    came, todo = f"{name} cannot be read", "Fetch it again, or choose another one."
    return ModelError(came, "whole files of that architecture", todo)


def weights_file(checkpoint: str, revision: str | None, name: str) -> Path | None:
    """Where a file of a checkpoint lies, fetched if need be; None where the checkpoint has none. Inside `loading`."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import RemoteEntryNotFoundError

    if _is_folder(checkpoint):
        path = Path(checkpoint) / name
        return path if path.is_file() else None
    try:
        return Path(hf_hub_download(checkpoint, name, revision=pinned(checkpoint, revision)))
    except RemoteEntryNotFoundError:
        return None


@contextmanager
def _quietly() -> Iterator[None]:
    """Neither the notes on weights that are left out, of which we raise what matters, nor bars outside of terminals."""
    from transformers.utils import logging as library

    verbosity, bars = library.get_verbosity(), library.is_progress_bar_enabled()
    library.set_verbosity(logging.ERROR)
    if not sys.stderr.isatty():
        library.disable_progress_bar()
    try:
        with quiet_client():
            yield
    finally:
        library.set_verbosity(verbosity)
        if bars:
            library.enable_progress_bar()
