"""Checkpoints of networks that read or listen: a few kilobytes, random weights, written by the libraries' own code.

Their tokenizers take every letter for a token, so what a text becomes can be told by hand.
"""

import json
import string
from pathlib import Path
from typing import Any

import torch

from unimma.compat import ensure_torch_extensions

ensure_torch_extensions()

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors  # noqa: E402

LETTERS = [*string.ascii_lowercase, *string.digits, *".,!?"]
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
MAX_TOKENS = 24
RATE_HZ = 16_000


def bert(folder: Path) -> Path:
    from transformers import BertConfig, BertForMaskedLM, BertTokenizer

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocab = {token: i for i, token in enumerate([*special, *LETTERS, *(f"##{letter}" for letter in LETTERS)])}
    BertTokenizer(vocab=vocab, model_max_length=MAX_TOKENS).save_pretrained(folder)
    config = BertConfig(vocab_size=len(vocab), max_position_embeddings=MAX_TOKENS + 8, **SMALL)
    return _written(BertForMaskedLM(config), folder)  # what Google published has that head


def llama(folder: Path) -> Path:
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = _byte_level(["<|begin|>"])
    tokenizer.post_processor = processors.TemplateProcessing("<|begin|> $0", special_tokens=[("<|begin|>", 0)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|begin|>", model_max_length=4096)
    fast.save_pretrained(folder)
    config = LlamaConfig(vocab_size=len(fast), num_key_value_heads=1, max_position_embeddings=64, **SMALL)
    return _written(LlamaForCausalLM(config), folder)


def sentence_bert(folder: Path, *, normalised: bool = True) -> Path:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    network = Transformer(str(bert(folder.with_name(f"{folder.name}-inside"))))
    modules = [network, Pooling(SMALL["hidden_size"], "mean"), *([Normalize()] if normalised else [])]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder))
    return folder


def m_clip(folder: Path, *, pickled: bool = True) -> Path:
    """As the checkpoints of M-CLIP are laid out: their own kind of config, and names of our own network for none."""
    from safetensors.torch import save_file
    from transformers import XLMRobertaConfig, XLMRobertaModel, XLMRobertaTokenizer

    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS, "<mask>"]
    tokenizer = XLMRobertaTokenizer(vocab=[(piece, -float(i)) for i, piece in enumerate(pieces)], model_max_length=512)
    tokenizer.save_pretrained(folder)
    base = folder.with_name(f"{folder.name}-base")
    config = XLMRobertaConfig(
        vocab_size=len(pieces), max_position_embeddings=MAX_TOKENS + 2, bos_token_id=0, pad_token_id=1, **SMALL
    )
    config.save_pretrained(base)
    torch.manual_seed(0)
    layers = {"transformer": XLMRobertaModel(config), "LinearTransformation": torch.nn.Linear(SMALL["hidden_size"], 12)}
    weights = torch.nn.ModuleDict(layers).state_dict()
    if pickled:
        torch.save(weights | {"transformer.embeddings.position_ids": torch.arange(9)}, folder / "pytorch_model.bin")
    else:
        save_file(weights, folder / "model.safetensors")
    own = {"model_type": "M-CLIP", "modelBase": str(base), "transformerDimensions": SMALL["hidden_size"], "numDims": 12}
    (folder / "config.json").write_text(json.dumps(own))
    return folder


def clap(folder: Path, *, fused: bool = False) -> Path:
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, RobertaTokenizer

    vocab, merges = _byte_vocab(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]), []
    RobertaTokenizer(vocab=vocab, merges=merges, model_max_length=512).save_pretrained(folder)
    ClapFeatureExtractor(
        feature_size=16, max_length_s=1, truncation="fusion" if fused else "rand_trunc", padding="repeatpad"
    ).save_pretrained(folder)
    text = {"vocab_size": len(vocab), "max_position_embeddings": MAX_TOKENS + 2, "projection_dim": 12, **SMALL}
    audio = {
        "num_mel_bins": 16,
        "spec_size": 64,
        "patch_size": 4,
        "patch_stride": [4, 4],
        "window_size": 4,
        "depths": [1, 1],
        "num_attention_heads": [1, 2],
        "patch_embeds_hidden_size": 8,
        "hidden_size": 16,
        "projection_dim": 12,
        "enable_fusion": fused,
        "aff_block_r": 2,
    }
    return _written(ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=12)), folder)


def hubert(folder: Path, *, normalised: bool = True) -> Path:
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    Wav2Vec2FeatureExtractor(do_normalize=normalised).save_pretrained(folder)
    config = HubertConfig(
        conv_dim=(8, 8, 8),
        conv_kernel=(10, 8, 4),
        conv_stride=(5, 8, 4),
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        **SMALL,
    )
    return _written(HubertModel(config), folder)


def ast(folder: Path) -> Path:
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    ASTFeatureExtractor(num_mel_bins=32, max_length=64).save_pretrained(folder)
    config = ASTConfig(num_mel_bins=32, max_length=64, num_labels=3, **SMALL)
    return _written(ASTForAudioClassification(config), folder)


def whisper(folder: Path) -> Path:
    """Windows of two seconds; it writes a few letters of nonsense."""
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizer,
    )

    WhisperFeatureExtractor(feature_size=16, chunk_length=2, n_fft=400).save_pretrained(folder)
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|sv|>", "<|translate|>", "<|transcribe|>"]
    special += ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    letters = _byte_vocab([])
    tokenizer = WhisperTokenizer(vocab=letters | {"<|endoftext|>": len(letters)}, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": special[1:]})
    tokenizer.add_tokens([f"<|{i * 0.02:.2f}|>" for i in range(101)])
    tokenizer.save_pretrained(folder)
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in special}
    sizes: dict[str, Any] = {f"{side}_{what}": size for side in ("encoder", "decoder") for what, size in _SIZES}
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=16,
        d_model=16,
        max_source_positions=100,
        max_target_positions=24,
        pad_token_id=ids["<|endoftext|>"],
        bos_token_id=ids["<|endoftext|>"],
        eos_token_id=ids["<|endoftext|>"],
        decoder_start_token_id=ids["<|startoftranscript|>"],
        init_std=0.5,
        **sizes,
    )
    torch.manual_seed(0)
    network = WhisperForConditionalGeneration(config)
    network.generation_config = GenerationConfig(
        pad_token_id=config.pad_token_id,
        bos_token_id=config.bos_token_id,
        eos_token_id=config.eos_token_id,
        decoder_start_token_id=config.decoder_start_token_id,
        no_timestamps_token_id=ids["<|notimestamps|>"],
        is_multilingual=True,
        lang_to_id={"<|en|>": ids["<|en|>"], "<|sv|>": ids["<|sv|>"]},
        task_to_id={"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        max_initial_timestamp_index=50,
        max_length=24,
    )
    network.save_pretrained(folder)
    return folder


_SIZES = (("layers", 2), ("attention_heads", 2), ("ffn_dim", 24))


def _written(network: Any, folder: Path) -> Path:
    """With weights that spread, so that a layer left out shows."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim > 1 or name.endswith("bias"):
                parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    network.save_pretrained(folder)
    return folder


def _byte_vocab(special: list[str]) -> dict[str, int]:
    return {token: i for i, token in enumerate([*special, *sorted(pre_tokenizers.ByteLevel.alphabet())])}


def _byte_level(special: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(vocab=_byte_vocab(special), merges=[]))
    tokenizer.add_special_tokens(special)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def model_folder(folder: Path, config: dict[str, Any]) -> Path:
    """A model of ours with this config and no tensors of its own."""
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    return folder


def harm(folder: Path, how: str) -> None:
    """What can go wrong with a checkpoint's files."""
    config = folder / "config.json"
    (weights,) = [*folder.glob("model.safetensors"), *folder.glob("pytorch_model.bin")]
    match how:
        case "weights-gone":
            weights.unlink()
        case "weights-cut":
            weights.write_bytes(weights.read_bytes()[:2000])
        case "config-gone":
            config.unlink()
        case "config-cut":
            config.write_text(config.read_text()[:30])
        case "words-cut":
            (folder / "tokenizer.json").write_text('{"version": "1.0", "model": {"type": "Nothing"}}')
        case "front-cut":
            (folder / "preprocessor_config.json").write_text("{")
        case "other":
            config.write_text(json.dumps({"model_type": "gpt2", "n_embd": 16, "n_layer": 1, "n_head": 2}))
