"""The open_clip encoders with a tiny network of random weights, against calling open_clip directly."""

import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from torch.nn import functional as F
from transformers import BertTokenizerFast

import unimma
from unimma.compat import ensure_torch_extensions
from unimma.encoders.registry import find
from unimma.types import Image, Text

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
HEAD = {"kind": "none", "num_features": 16, "dim": 16}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that names a tiny architecture and a checkpoint of it."""
    ensure_torch_extensions()
    import open_clip

    folder = tmp_path_factory.mktemp("tiny-clip")
    (folder / "tiny-for-tests.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(folder / "tiny-for-tests.json")
    torch.manual_seed(0)
    torch.save(open_clip.create_model("tiny-for-tests").state_dict(), folder / "tiny.pt")
    options = {"model": "tiny-for-tests", "pretrained": str(folder / "tiny.pt")}
    encoders = {"text": {"name": "open-clip-text", **options}, "image": {"name": "open-clip-image", **options}}
    config = {"name": "tiny", "dim": 16, "encoders": encoders, "heads": {"text": HEAD, "image": HEAD}, "null": {}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")  # no tensors of its own
    return folder


def test_a_checkpoint_folder_may_name_open_clip_encoders(folder: Path) -> None:
    import open_clip

    model = unimma.load_model(str(folder))
    picture = Image(np.random.default_rng(0).integers(0, 256, (40, 70, 3), dtype=np.uint8))
    ours = model.embed(["a dog barks", picture])
    network, _, transform = open_clip.create_model_and_transforms("tiny-for-tests", pretrained=str(folder / "tiny.pt"))
    network.eval()
    with torch.inference_mode():
        text = network.encode_text(open_clip.get_tokenizer("tiny-for-tests")(["a dog barks"]), normalize=True)
        image = network.encode_image(transform(PillowImage.fromarray(picture.pixels))[None], normalize=True)
    assert np.abs(ours - torch.cat([text, image]).numpy()).max() < 1e-5
    assert model.modalities == {"text", "image"}
    with pytest.raises(unimma.ModelError, match="audio for the model 'tiny'"):
        model.embed([unimma.Audio(np.zeros(100, np.float32), 44_100)])


def test_a_long_text_is_read_whole(folder: Path) -> None:
    import open_clip

    encoder = find("open-clip-text")(model="tiny-for-tests", pretrained=str(folder / "tiny.pt"))
    tokenize = open_clip.get_tokenizer("tiny-for-tests")
    words = ["one", "two", "three", "four", "five"] * 20  # a token each
    with torch.inference_mode():
        pieces = encoder.network.encode_text(tokenize([" ".join(words[:75]), " ".join(words[75:])]), normalize=True)
        (row,) = encoder.encode([encoder.prepare(Text(" ".join(words)))])
    assert (row - F.normalize(75 * pieces[0] + 25 * pieces[1], dim=0)).abs().max() < 1e-5


def test_patches_are_those_of_the_last_block(folder: Path) -> None:
    encoder = find("open-clip-image")(model="tiny-for-tests", pretrained=str(folder / "tiny.pt"))
    picture = Image(np.random.default_rng(1).integers(0, 256, (40, 70, 3), dtype=np.uint8))
    visual = encoder.network.visual
    assert encoder.info.weights == "open_clip tiny-for-tests tiny.pt"
    with torch.inference_mode():
        prepared = encoder.prepare(picture)
        tokens, times = encoder.encode_sequence([prepared])
        _, states = visual._pool(visual.ln_post(visual.transformer(visual._embeds(prepared["pixels"][None]))))
    assert tokens.shape == (1, 4, encoder.token_dim) and (times == 0).all()
    assert (tokens - states).abs().max() < 1e-5


def test_texts_of_other_tokenizers_are_cut_between_words(folder: Path, tmp_path: Path) -> None:
    from open_clip.tokenizer import HFTokenizer

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "one", "two", "three"]
    fast = BertTokenizerFast(vocab={word: i for i, word in enumerate(vocabulary)})
    fast.save_pretrained(tmp_path)
    encoder = deepcopy(find("open-clip-text")(model="tiny-for-tests", pretrained=str(folder / "tiny.pt")))
    encoder.tokenizer = HFTokenizer(str(tmp_path), context_length=6)
    prepared = encoder.prepare(Text("one two three one two three"))
    assert prepared["tokens"].tolist() == [[2, 5, 6, 7, 5, 3], [2, 6, 7, 3, 0, 0]]
    assert prepared["lengths"].tolist() == [4, 2]


def test_an_unknown_architecture_is_refused(folder: Path, tmp_path: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["encoders"]["text"]["model"] = "no-such-network"
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(unimma.ModelError, match="open_clip cannot load 'no-such-network'"):
        unimma.load_model(str(tmp_path))
