"""Tiny joint models of random weights, written as their libraries write them: config, weights, processor."""

import json
from pathlib import Path
from typing import Any

import torch

WORDS = ["a", "dog", "barks", "at", "the", "falling", "rain", "while", "people", "sing"]
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{% for part in message.content %}"
    "{% if part.type == 'text' %}{{ part.text }}"
    "{% elif part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}<|vision_start|><|video_pad|><|vision_end|>{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_READER = {"vocab_size": 400, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
_READER |= {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}


def write_flava(folder: Path) -> Path:
    """FLAVA, as its authors published it: the pretraining network, of which the encoders are a part."""
    from transformers import BertTokenizerFast, FlavaConfig, FlavaForPreTraining, FlavaImageProcessor, FlavaProcessor

    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    config = FlavaConfig(
        image_config={**small, "image_size": 32, "patch_size": 16},
        text_config={**small, "vocab_size": 300, "max_position_embeddings": 24},
        multimodal_config={**small, "num_hidden_layers": 1},
        image_codebook_config={"hidden_size": 8, "num_groups": 4, "vocab_size": 16},
        projection_dim=12,
        hidden_size=16,
    )
    _save(FlavaForPreTraining, config, folder)
    alphabet = [chr(i) for i in range(33, 127)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *alphabet, *(f"##{c}" for c in alphabet), *WORDS]
    tokenizer = BertTokenizerFast(vocab={word: i for i, word in enumerate(dict.fromkeys(vocabulary))})
    pictures = FlavaImageProcessor(size={"height": 32, "width": 32}, crop_size={"height": 32, "width": 32})
    FlavaProcessor(image_processor=pictures, tokenizer=tokenizer).save_pretrained(folder)
    return folder


def write_embeddinggemma2(folder: Path) -> Path:
    """EmbeddingGemma 2 with all its parts, and the modules of sentence-transformers as its repository has them."""
    from transformers import (
        EmbeddingGemma2Config,
        EmbeddingGemma2Model,
        EmbeddingGemma2Processor,
        EmbeddingGemma2VideoProcessor,
        Gemma4AudioFeatureExtractor,
        Gemma4ImageProcessor,
    )

    special = {
        "image_token": "<|image|>",
        "boi_token": "<|image>",
        "eoi_token": "<image|>",
        "audio_token": "<|audio|>",
        "boa_token": "<|audio>",
        "eoa_token": "<audio|>",
    }
    tokenizer = _tokenizer(special, bos="<bos>")
    names = {"boi": "boi_token_id", "eoi": "eoi_token_id", "image": "image_token_id", "boa": "boa_token_id"}
    names |= {"eoa": "eoa_token_index", "audio": "audio_token_id"}
    config = EmbeddingGemma2Config(
        text_config={
            **_READER,
            "global_head_dim": 8,
            "sliding_window_pattern": 2,
            "sliding_window": 16,
            "hidden_size_per_layer_input": 8,
            "embedding_dim": 12,
        },
        vision_config={
            "model_type": "gemma4_vision",
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "patch_size": 4,
            "position_embedding_size": 64,
        },
        audio_config={
            "model_type": "gemma4_audio",
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "output_proj_dims": 16,
            "subsampling_conv_channels": [128, 4],
        },
        video_token_id=399,
        **{names[key]: tokenizer.convert_tokens_to_ids(special[f"{key}_token"]) for key in names},
    )
    processor = EmbeddingGemma2Processor(
        feature_extractor=Gemma4AudioFeatureExtractor(),
        image_processor=Gemma4ImageProcessor(patch_size=4, max_soft_tokens=70),
        tokenizer=tokenizer,
        video_processor=EmbeddingGemma2VideoProcessor(patch_size=4, max_soft_tokens=70),
    )
    config.video_token_id = processor.video_token_id
    _save(EmbeddingGemma2Model, config, folder)
    processor.save_pretrained(folder)
    _write_modules(folder)
    return folder


def write_pe_av(folder: Path, num_frames: int | None = None) -> Path:
    """PE-AV; with `num_frames`, as those of its checkpoints that look at so many."""
    from transformers import (
        PeAudioFeatureExtractor,
        PeAudioVideoConfig,
        PeAudioVideoModel,
        PeAudioVideoProcessor,
        PeVideoVideoProcessor,
    )

    small = {
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "head_dim": 8,
    }
    hearing = {
        **small,
        "dac_config": {
            "downsampling_ratios": [2, 8, 10, 12],
            "encoder_hidden_size": 2,
            "hidden_size": 16,
            "codebook_dim": 8,
            "n_codebooks": 1,
            "codebook_size": 8,
        },
    }
    seeing = {
        **small,
        "vision_config": {
            "architecture": "vit_pe_core_tiny_patch16_384",
            "do_pooling": True,
            "num_classes": 16,
            "global_pool": "map",
            "initializer_range": 0.02,
            "model_args": {"img_size": 32, "depth": 1, "embed_dim": 32, "num_heads": 2, "ref_feat_shape": (2, 2)},
        },
    }
    reading = {"vocab_size": 400, "hidden_size": 20, "intermediate_size": 24, "num_hidden_layers": 2}
    reading |= {"num_attention_heads": 2, "max_position_embeddings": 40, "pad_token_id": 0, "cls_token_id": 2}
    config = PeAudioVideoConfig(
        text_config={**reading, "model_type": "modernbert", "bos_token_id": 2, "eos_token_id": 1, "sep_token_id": 1},
        audio_video_config={**small, "audio_config": hearing, "video_config": seeing},
    )
    _save(PeAudioVideoModel, config, folder)
    processor = PeAudioVideoProcessor(
        feature_extractor=PeAudioFeatureExtractor(),
        video_processor=PeVideoVideoProcessor(
            size={"height": 32, "width": 32},
            do_resize=True,
            do_rescale=True,
            do_normalize=True,
            image_mean=[0.5] * 3,
            image_std=[0.5] * 3,
            num_frames=num_frames,
        ),
        tokenizer=_tokenizer([], bos="<bos>"),
    )
    processor.save_pretrained(folder)
    return folder


def write_qwen3_vl(folder: Path) -> Path:
    """Qwen3-VL, with the generator's head that its embedding checkpoints still carry."""
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    marks = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    tokenizer = _tokenizer(list(marks))
    start, end, image, video = (tokenizer.convert_tokens_to_ids(mark) for mark in marks[2:])
    config = Qwen3VLConfig(
        text_config={
            **_READER,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 1, 1]},
        },
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_heads": 2,
            "patch_size": 4,
            "out_hidden_size": 16,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    _save(Qwen3VLForConditionalGeneration, config, folder)
    size = {"shortest_edge": 8 * 8 * 4, "longest_edge": 8 * 8 * 64}
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=4, merge_size=2, size=size),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(patch_size=4, merge_size=2, size=size, cap_pixels_per_frame=True),
        chat_template=CHAT,
    )
    processor.save_pretrained(folder)
    return folder


def _save(model_class: Any, config: Any, folder: Path) -> None:
    torch.manual_seed(0)
    network = model_class(config)
    with torch.no_grad():
        for parameter in network.parameters():  # wide enough that a mistake shows in the features
            parameter += 0.2 * torch.randn_like(parameter)
    network.save_pretrained(folder)


def _tokenizer(special: dict[str, str] | list[str], bos: str | None = None) -> Any:
    """Byte-level, with a few words whole; `bos` stands before every text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["<pad>", "<eos>", "<bos>", "<unk>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        extra_special_tokens=special or None,
    )


def _write_modules(folder: Path) -> None:
    modalities = ("text", "image", "audio", "video")
    config = {
        "transformer_task": "feature-extraction",
        "modality_config": {
            name: {"method": "forward", "method_output_name": "last_hidden_state"} for name in modalities
        },
        "module_output_name": "token_embeddings",
    }
    (folder / "sentence_bert_config.json").write_text(json.dumps(config))
    package = "sentence_transformers.models"
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": f"{package}.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{package}.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{package}.Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 12, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    prompts = {"query": "task: search result | query: ", "document": "title: none | text: "}
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
