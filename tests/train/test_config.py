"""A run's config: what ships is valid, a typo stops the run and is told the nearest key."""

from pathlib import Path

import pytest

from train.config import OptimConfig, read_config
from unimma.errors import ConfigError
from unimma.types import Modality

CONFIGS = Path(__file__).parent.parent.parent / "train" / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_config_is_valid(path: Path) -> None:
    assert read_config(path).optim.steps > 0


def test_overrides_are_put_in(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("[optim]\nsteps = 7\n")
    config = read_config(path, ["optim.lr=0.5", "data.folder=somewhere/else", "model.name=mine"])
    assert (config.optim.steps, config.optim.lr) == (7, 0.5)
    assert read_config(path, ["optim.steps="]).optim.steps == OptimConfig().steps
    assert config.data.folder == Path("somewhere/else")
    assert config.model.name == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[optim]\nstepz = 7\n", r"optim\.stepz.*nearest known key: optim\.steps"),
        ("[distill]\nnum_window = 7\n", r"nearest known key: distill\.num_windows"),
        ("[optim]\nlr = -1.0\n", r"optim\.lr: input should be greater than 0"),
        ("[model.heads.image]\nnum_layers = 9\n", r"model\.heads\.image\.num_layers: input should be less"),
        ("[model.heads.image]\nhiden = 9\n", r"nearest known key: model\.heads\.image\.hidden"),
        ("[model.heads.smell]\n", r"model\.heads\.smell: input should be 'text', 'image', 'audio' or 'video'"),
        ("[model.encoders.image]\nname = 'x'\njoined = ['y']\n", "name, joined and frames_and_sound is wanted"),
        ("[model.encoders.image]\nname = 'x'\ntrainable = 'last'\n", r"encoders\.image\.trainable"),
        ("[loss.text_image]\ninfonce = 1\n", r"nearest known key: loss\.text_image\.info_nce"),
        ("[[loss.teachers]]\nname = 'x'\nmodality = 'image'\nfeatur_mse = 1\n", r"loss\.teachers\.feature_mse"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_mistake_stops_the_run_and_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as refused:
        read_config(path)
    assert "run.toml" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_an_override_without_a_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("")
    with pytest.raises(ConfigError, match=r"expected section\.key=value"):
        read_config(path, ["optim.steps"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modalities = ['image']", "modalities without text"),
        ("modalities = ['text', 'image', 'video']", "frames and sound of a model without image or audio"),
        (
            "modalities = ['text', 'image']\n[loss.audio_text]\nsiglip = 1.0",
            r"loss\.audio_text of a model without audio",
        ),
        ("modalities = ['text', 'image']\n[model.heads.audio]\nhidden = 3", r"model\.heads\.audio of a model without"),
        ("heads.text.kind = 'clip'", r"model\.heads\.text of kind clip; expected it on frames and sound"),
        ("heads.video.kind = 'conse'", "kind conse; expected it on pictures or sounds"),
        ("encoders.audio.name = 'aisfx'\n[distill]", r"\[distill\] of a model without yamnet-student"),
        ("encoders.image.frames_and_sound = 3", "frames_and_sound for image; expected it for video"),
        ("encoders.video.trainable = 'all'", "frames_and_sound that is trainable; expected image or audio"),
        ("heads.image.kind = 'conse'\nencoders.text.trainable = 'all'", "beside a text encoder that is trained"),
        ("heads.image.kind = 'mlp'\n[loss]\nimage_classes = 0.2", r"loss\.image_classes without a conse head"),
        ("[loss]\nimage_classes = 0.2\ntext_image.info_nce = 0", r"loss\.image_classes without loss\.text_image"),
        ("[loss.image_image]\nnt_xent = 1.0", r"loss\.image_image with data\.views = 0"),
        ("[[loss.teachers]]\nname = 'clip'\nmodality = 'video'", r"loss\.teachers\.0 \(clip\) for video"),
        ("modalities = ['text']\n[loss.text_text]\ninfo_nce = 0", "no loss with a weight above 0"),
        ("[loss.text_text]\ninfo_nce = 1.0\nhard_negatives = 2", r"loss\.text_text\.hard_negatives; expected them in"),
        ("[loss.text_image]\nhard_negatives = 2", r"text_image\.hard_negatives without info_nce; expected both"),
        ("encoders.text.token_dropout = 0.1", r"model\.encoders\.text\.token_dropout of a frozen encoder"),
        (
            "encoders.image.token_dropout = 0.1\nencoders.image.trainable = 'all'",
            r"model\.encoders\.image\.token_dropout; expected it for text",
        ),
    ],
)
def test_parts_that_do_not_go_together_stop_the_run(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(f"[model]\n{text}\n")
    with pytest.raises(ConfigError, match=said):
        read_config(path)


def test_what_is_left_out_is_the_bundled_model(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        "[model.encoders]\nimage = { trainable = 'last:3', lr = 1e-5 }\n"
        "text = { trainable = 'all', token_dropout = 0.2 }\n[model.heads.image]\nkind = 'mlp'\n"
        "[model.heads.audio]\nkind = 'mlp'\n"
    )
    shape = read_config(path).model
    assert shape.encoder(Modality.TEXT).token_dropout == 0.2
    assert shape.encoder(Modality.TEXT).spec() == {"name": "minilm", "trained": "all"}
    assert shape.encoder(Modality.IMAGE).spec() == {"name": "efficientnet-lite2", "trained": "last:3"}
    assert shape.encoder(Modality.AUDIO).spec() == {"joined": ["aisfx", "yamnet-student"]}
    assert shape.encoder(Modality.VIDEO).spec() == {"frames_and_sound": 8}


def test_options_of_an_encoder_stand_beside_its_name(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("[model.encoders.image]\nname = 'some'\ntrainable = 'all'\nsize = 3\nkinds = ['a', 'b']\n")
    encoder = read_config(path).model.encoder(Modality.IMAGE)
    assert encoder.spec() == {"name": "some", "size": 3, "kinds": ["a", "b"], "trained": "all"}


def test_a_pair_is_on_by_default_where_the_model_has_both_and_off_with_zeros(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        "[model]\nmodalities = ['text', 'image', 'audio']\n[loss]\nthree_way = 0.5\naudio_text.info_nce = 0\n"
    )
    config = read_config(path)
    pairs = config.loss.pairs(config.model.modalities)
    assert {name: pair.info_nce for name, pair in pairs.items()} == {
        "text_image": 1.0,
        "text_text": 0.3,
        "three_way": 0.5,
    }
