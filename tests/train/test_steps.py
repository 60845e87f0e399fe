"""What is drawn and minimised, with tiny encoders: every pair, every loss, every teacher; and what does not go."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.train import tiny
from train.align import _fit, wanted_pairs
from train.build import class_names, untrained
from train.config import TrainConfig, read_config
from train.drawing import draft, keys
from train.gathering import Gathered, gather_towers
from train.material import Material
from train.sentences import Sentences
from train.steps import Objective, fit_statistics
from unimma.encoders.registry import find
from unimma.errors import ConfigError
from unimma.heads import ConseHead, HeadConfig
from unimma.model import UniMMA
from unimma.types import Modality

BASE = """
[data]
views = 1
scene_variations = 0
scene_clips = 0
[model]
dim = 24
modalities = ["text", "image", "audio"]
[model.encoders]
text = { name = "tiny-text" }
image = { name = "tiny-image" }
audio = { name = "tiny-audio" }
[model.heads]
image = { hidden = 16 }
audio = { hidden = 16 }
[optim]
steps = 40
batch_size = 16
lr = 1e-2
fine_lr = 1e-2
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


Made = tuple[Objective, Gathered, UniMMA]


@pytest.fixture
def make(folder: Path, cache: Path, tmp_path: Path) -> Callable[..., Made]:
    def make_(more: str = "", *overrides: str) -> Made:
        config = configured(tmp_path, more, f"data.folder={folder}", *overrides)
        torch.manual_seed(0)
        classes = class_names(config)
        model = untrained(config.model, classes)
        gathered = gather_towers(model, config, classes, Sentences(), cache)
        for modality, tower in model.towers.items():
            is_text = modality is Modality.TEXT
            fit_statistics(tower.head, gathered.train.text if is_text else gathered.train.media[modality].features)
        pairs = wanted_pairs(config, gathered.train)
        return Objective(model, list(model.towers), gathered.train, pairs, config), gathered, model

    return make_


def configured(folder: Path, more: str = "", *overrides: str) -> TrainConfig:
    (folder / "run.toml").write_text(BASE + more)
    return read_config(folder / "run.toml", overrides)


def step(objective: Objective, seed: int = 0) -> dict[str, float]:
    """One step by hand: the terms of the loss; gradients lie on the parameters."""
    objective.train()
    objective.before_step()
    batch = objective.draw(np.random.default_rng(seed))
    z = {key: objective.embed(key, rows) for key, rows in batch.inputs.items()}
    for key, rows in z.items():
        assert torch.allclose(rows.norm(dim=1), torch.ones(len(batch.inputs[key])), atol=1e-4)
    terms = objective.loss(z, batch)
    torch.stack(list(terms.values())).sum().backward()
    return {name: term.item() for name, term in terms.items()}


EVERYTHING = """
[loss]
three_way = 0.5
[loss.text_image]
info_nce = 1.0
siglip = 0.1
[loss.audio_text]
triplet = 1.0
negatives = "semi-hard"
[loss.audio_image]
info_nce = 0.5
[loss.text_text]
nt_xent = 0.2
[loss.image_image]
nt_xent = 0.2
[loss.audio_audio]
info_nce = 0.2
[[loss.teachers]]
name = "tiny-image"
modality = "image"
feature_mse = 0.1
feature_cosine = 0.1
relational_distance = 0.1
relational_angle = 0.1
"""


def test_every_pair_has_its_terms_and_its_gradients(make: Callable[..., Made]) -> None:
    objective, _, _ = make(EVERYTHING)
    terms = step(objective)
    teacher = {f"image/tiny-image/{kind}" for kind in ("feature_mse", "feature_cosine")}
    teacher |= {f"image/tiny-image/relational_{kind}" for kind in ("distance", "angle")}
    pairs = {"text_image/info_nce", "text_image/siglip", "audio_text/triplet", "audio_image/info_nce", "three_way"}
    pairs |= {"text_text/nt_xent", "image_image/nt_xent", "audio_audio/info_nce"}
    assert set(terms) == pairs | teacher
    assert all(np.isfinite(value) for value in terms.values())
    grouped = [id(parameter) for group in objective.groups() for parameter in group.parameters]
    trained = {id(parameter): name for name, parameter in objective.named_parameters() if parameter.requires_grad}
    assert sorted(grouped) == sorted(trained)
    still = {name for name, parameter in objective.named_parameters() if parameter.grad is None}
    assert still == {"pairs.audio_text.scale.logit_scale"}  # triplets have no temperature


def test_a_weight_weighs(make: Callable[..., Made]) -> None:
    one, _, _ = make(EVERYTHING)
    other, _, _ = make(EVERYTHING, "loss.three_way=1.5", "loss.audio_image.info_nce=0.25")
    first, second = step(one.eval()), step(other.eval())
    one_way = {name: second[name] / first[name] for name in first}
    assert one_way["audio_image/info_nce"] == pytest.approx(0.5, rel=0.3)  # another dropout
    assert one_way["three_way"] == pytest.approx(3.0, rel=0.3)


def test_what_belongs_together_is_drawn_together(make: Callable[..., Made]) -> None:
    _, gathered, _ = make(EVERYTHING)
    supply, rng = gathered.train, np.random.default_rng(0)
    pictures, sounds = supply.media[Modality.IMAGE], supply.media[Modality.AUDIO]
    drawn = draft("text_image", supply, 12, rng)
    assert drawn.media is not None
    for row, said in zip(drawn.media.rows, drawn.media.said, strict=True):
        assert any(name in supply.sentences[said] for name in (pictures.name[row], "hound"))
    one, other = pictures.draw_views(20, rng)
    assert np.array_equal(pictures.item[one.rows], pictures.item[other.rows])
    assert len(set(pictures.item[one.rows])) == len(one.rows)
    assert not set(one.rows) & set(other.rows)
    kinds = ["dog", "frog", "dog"]
    assert [pictures.kind[row] for row in pictures.draw_kinds(kinds, rng).rows] == kinds
    assert [sounds.kind[row] for row in sounds.draw_kinds(kinds, rng).rows] == kinds
    three = draft("three_way", supply, 30, rng)
    assert list(three.inputs) == list(keys("three_way")) == ["audio/three_way", "image/three_way", "text/three_way"]
    captions = draft("text_text", supply, 4, rng)
    assert len(captions.meaning.unique()) == len(captions.inputs["text/text_text"]) == 4


def test_the_same_generator_draws_the_same_batch(make: Callable[..., Made]) -> None:
    objective, _, _ = make(EVERYTHING)
    one, other = (objective.draw(np.random.default_rng([3, 5])) for _ in range(2))
    assert all(torch.equal(rows, other.inputs[key]) for key, rows in one.inputs.items())
    assert all(torch.equal(fact, other.facts[name]) for name, fact in one.facts.items())


def test_damaged_media_are_skipped_and_named(make: Callable[..., Made]) -> None:
    objective, gathered, _ = make()
    assert set(objective.skipped) == {"pictures/image-7", "tones/audio-7"}
    assert all("image-7" in why or "audio-7" in why for why in objective.skipped.values())
    assert len(gathered.train.media[Modality.IMAGE]) == 2 * (32 - 1)  # two views
    again, _, _ = make()  # now from the cache
    assert again.skipped == objective.skipped


def test_a_conse_head_learns_from_its_encoders_classes_and_follows_the_text_head(
    make: Callable[..., Made], folder: Path
) -> None:
    (folder / "mine.txt").write_text("dog, hound\ncat\nbird\nfrog\n")
    objective, _, model = make(
        "[loss]\nimage_classes = 0.5\n",
        'model.heads.image={kind = "conse", class_names = "mine.txt", hidden = 16}',
    )
    assert model.config.heads[Modality.IMAGE].num_classes == 4
    assert "image_classes" in step(objective)
    classes = model.towers[Modality.IMAGE].head.get_buffer("class_embeddings").clone()
    with torch.no_grad():
        for parameter in model.towers[Modality.TEXT].head.parameters():
            parameter.add_(torch.randn_like(parameter))
    objective.before_step()
    assert not torch.allclose(model.towers[Modality.IMAGE].head.get_buffer("class_embeddings"), classes, atol=1e-2)


def test_a_teacher_with_classes_gives_soft_labels(make: Callable[..., Made], folder: Path) -> None:
    (folder / "mine.txt").write_text("dog\ncat\nbird\nfrog\n")
    teacher = '[[loss.teachers]]\nname = "tiny-audio"\nmodality = "audio"\nsoft_labels = 0.3\nfeature_mse = 0.1\n'
    objective, _, _ = make(teacher + 'class_names = "mine.txt"\n')
    terms = step(objective)
    assert terms["audio/tiny-audio/soft_labels"] > 0
    assert objective.teachers[0].project.out_features == 24 - 4  # the classes are no features


LIVE = """
[loss.image_image]
nt_xent = 0.1
"""


@pytest.mark.parametrize("which", ["image", "text", "audio"])
def test_a_trained_encoder_learns_and_its_frozen_part_and_statistics_stay(
    make: Callable[..., Made], tmp_path: Path, which: str
) -> None:
    objective, gathered, model = make(
        LIVE,
        f'model.encoders.{which}={{name = "tiny-{which}", trainable = "last:1"}}',
        "optim.steps=2",
        "optim.chunk_size=5",
    )
    before = {name: value.clone() for name, value in find(f"tiny-{which}")().network.state_dict().items()}
    report = _fit(objective, gathered, tmp_path, "heads", resume=False)
    assert set(report) == {"pictures/image-7", "tones/audio-7"}
    after = model.towers[Modality(which)].encoder.network.state_dict()
    assert {name for name in after if not torch.equal(after[name], before[name])} == {
        "layers.2.weight",
        "layers.2.bias",
    } | ({"norm.weight", "norm.bias"})
    assert model.config.encoders[Modality(which)]["trained"] == "last:1"


def test_live_rows_embed_as_cached_features_do(make: Callable[..., Made]) -> None:
    frozen, supplied, _ = make()
    live, same, _ = make("", 'model.encoders.image={name = "tiny-image", trainable = "all"}')
    rows = np.arange(0, 40, 7)
    kept = supplied.train.media[Modality.IMAGE].features[rows].float()
    with torch.no_grad():
        one = frozen.eval().embed("image/text_image", kept)
        other = live.eval().embed("image/text_image", torch.from_numpy(rows))
    assert same.train.media[Modality.IMAGE].media is not None
    assert torch.allclose(one, other, atol=1e-2)  # the cache holds float16


def test_a_run_learns_and_is_scored_on_val(make: Callable[..., Made], tmp_path: Path) -> None:
    objective, gathered, _ = make("", "optim.evaluate_every=20")
    assert gathered.val is not None
    untaught = objective.eval().score(gathered.val)
    _fit(objective, gathered, tmp_path, "heads", resume=False)
    assert 0 <= untaught < objective.score(gathered.val) <= 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[loss.audio_image]\ninfo_nce = 1.0\n", r"loss\.audio_image without anything that is both heard and seen"),
        ("[loss.text_text]\ninfo_nce = 1.0\n", r"loss\.text_text without groups of captions"),
        ("[loss.image_image]\nnt_xent = 1.0\n", r"loss\.image_image without two views"),
    ],
)
def test_a_pair_with_nothing_to_learn_from_is_named(make: Callable[..., Made], more: str, said: str) -> None:
    objective, gathered, model = make(EVERYTHING)
    media = gathered.train.media
    bare = {
        Modality.IMAGE: replace(media[Modality.IMAGE], kind=np.full(len(media[Modality.IMAGE]), "seen")),
        Modality.AUDIO: media[Modality.AUDIO],
    }
    bare[Modality.IMAGE] = replace(bare[Modality.IMAGE], item=np.arange(len(bare[Modality.IMAGE])))
    supply = replace(gathered.train, media=bare, pairs=())
    config = replace(objective.config, loss=replace(objective.config.loss, teachers=()))
    name = more.split("]")[0].removeprefix("[loss.")
    pairs: dict[str, Any] = {name: config.loss.pairs(model.towers)[name]}
    with pytest.raises(ConfigError, match=said):
        Objective(model, list(model.towers), replace(supply, teacher_classes=()), pairs, config)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            'model.encoders.image={name = "tiny-imge"}',
            r"model\.encoders\.image: encoder 'tiny-imge'; expected one of tiny",
        ),
        ('model.encoders.image={name = "tiny-image", dimm = 3}', r"image\.dimm: no option .*nearest known key: dim"),
        ('model.encoders.image={name = "tiny-image", trainabel = "all"}', "nearest known key: trainable"),
        ('model.encoders.image={name = "tiny-audio"}', r"model\.encoders\.image: an encoder of audio"),
        ('model.encoders.image={name = "open-clip-image", model = "ViT-B-32"}', "without pretrained"),
        ('model.heads.image={kind = "none"}', r"model\.heads\.image: 24 features for a space of 20"),
        (
            'model.heads.image={kind = "bridge"}',
            r"model\.heads\.image: a bridge head on an encoder of image that gives",
        ),
        ('model.heads.image={kind = "conse"}', "a conse head on image whose classes have no names"),
        ('model.heads.image={kind = "conse", class_names = "no.txt"}', r"no class names in no\.txt"),
    ],
)
def test_parts_that_do_not_fit_are_refused_before_anything_is_computed(
    folder: Path, tmp_path: Path, override: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        config = configured(tmp_path, "", f"data.folder={folder}", "model.dim=20", override)
        untrained(config.model, class_names(config))
    assert str(tmp_path) not in str(refused.value)


def test_the_mean_of_a_rows_sentences_draws_its_embedding(make: Callable[..., Made]) -> None:
    objective, _, _ = make("[loss]\ntext_image = { mean_cosine = 2.0 }\naudio_text = {}\ntext_text = {}\n")
    batch = objective.draw(np.random.default_rng(0))
    z = {key: objective.embed(key, rows) for key, rows in batch.inputs.items()}
    terms = objective.loss(z, batch)
    assert set(terms) == {"text_image/mean_cosine"}
    cosine = (z["image/text_image"] * z["text/text_image/mean"]).sum(dim=1)
    assert terms["text_image/mean_cosine"].item() == pytest.approx(2.0 * (1 - cosine.mean().item()), abs=1e-5)


HARD = """
[loss.text_image]
info_nce = 2.0
hard_negatives = 3
[loss.audio_text]
info_nce = 1.0
hard_negatives = 2
"""


def test_wrong_sentences_stand_beside_a_rows_own_in_its_mediums_way_alone(make: Callable[..., Made]) -> None:
    objective, gathered, _ = make(HARD)
    batch, scale = objective.draw(np.random.default_rng(0)), 1 / 0.07
    z = {key: objective.embed(key, rows) for key, rows in batch.inputs.items()}
    known, meaning = batch.facts["text_image/known"], batch.facts["text_image/meaning"].tolist()
    assert known.shape == (16, 3) and known.all() and batch.facts["audio_text/known"].shape == (8, 2)
    told = {tuple(row) for row in gathered.train.text.tolist()}
    assert {tuple(row) for row in batch.inputs["text/text_image/wrong"].tolist()} <= told
    images, texts, wrong = z["image/text_image"], z["text/text_image"], z["text/text_image/wrong"].view(16, 3, -1)
    costs: list[list[float]] = [[], []]
    for i in range(16):
        same = [j for j in range(16) if meaning[j] == meaning[i]]
        for cost, own, others in ((costs[0], images[i], [*texts, *wrong[i]]), (costs[1], texts[i], [*images])):
            logits = [scale * float(own @ other) for other in others]
            cost.append(np.log(np.exp(logits).sum()) - np.mean([logits[j] for j in same]))
    terms = objective.loss(z, batch)
    assert terms["text_image/info_nce"].item() == pytest.approx(np.mean(costs[0]) + np.mean(costs[1]), rel=1e-4)


def test_wrong_sentences_that_are_not_there_only_fill_the_batch(make: Callable[..., Made]) -> None:
    objective, gathered, model = make(HARD)
    pictures = gathered.train.media[Modality.IMAGE]
    few = replace(pictures, wrong=[own[:1] if row % 2 else own[:0] for row, own in enumerate(pictures.wrong)])
    supply = replace(gathered.train, media={**gathered.train.media, Modality.IMAGE: few})
    drawn = draft("text_image", supply, 20, np.random.default_rng(0), 3)
    assert drawn.known is not None and drawn.media is not None
    assert drawn.known.sum(dim=1).tolist() == [int(row % 2) for row in drawn.media.rows]
    filled = drawn.inputs["text/text_image/wrong"].view(20, 3, -1)
    assert torch.equal(filled[~drawn.known], drawn.inputs["text/text_image"][:, None].expand(-1, 3, -1)[~drawn.known])
    bare = replace(supply, media={**supply.media, Modality.IMAGE: replace(few, wrong=[np.zeros(0, int)] * len(few))})
    with pytest.raises(ConfigError, match=r"loss\.text_image without sentences in which a word can be changed"):
        Objective(model, list(model.towers), bare, wanted_pairs(objective.config, bare), objective.config)


@pytest.mark.parametrize("text", ["frozen", "last:1"])
def test_training_with_wrong_sentences_differs_and_is_the_same_in_chunks(
    make: Callable[..., Made], tmp_path: Path, text: str
) -> None:
    def trained(*overrides: str) -> dict[str, torch.Tensor]:
        encoder = f'model.encoders.text={{name = "tiny-text", trainable = "{text}"}}'
        calm = [f"model.heads.{modality}.dropout=0" for modality in ("image", "audio")]
        objective, gathered, _ = make(HARD, encoder, *calm, "optim.steps=5", *overrides)
        _fit(objective, gathered, tmp_path, "heads", resume=False)
        weights: dict[str, torch.Tensor] = objective.heads["image"].state_dict()
        return weights

    whole, chunks, plain = trained(), trained("optim.chunk_size=5"), trained("loss.text_image.hard_negatives=0")
    assert all(torch.allclose(value, chunks[key], atol=1e-3) for key, value in whole.items())
    assert not all(torch.allclose(value, plain[key], atol=1e-3) for key, value in whole.items())


def test_a_trained_text_encoder_reads_sentences_without_some_tokens_while_it_learns(
    make: Callable[..., Made], tmp_path: Path
) -> None:
    dropping = 'model.encoders.text={name = "tiny-text", trainable = "last:1", token_dropout = 0.3}'
    objective, gathered, _ = make("", dropping, "optim.steps=3", "optim.chunk_size=5")
    key, rows = "text/text_image", objective.draw(np.random.default_rng(0)).inputs["text/text_image"]

    def read(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        with torch.no_grad():
            return objective.embed(key, rows)

    objective.eval()
    whole = read(0)
    assert torch.equal(whole, read(1))
    objective.train()
    assert torch.equal(read(0), read(0))  # a chunk is embedded twice alike
    assert not torch.equal(read(0), read(1)) and not torch.equal(read(0), whole)
    _fit(objective, gathered, tmp_path, "dropping", resume=False)
    plain, same, _ = make(
        "", 'model.encoders.text={name = "tiny-text", trainable = "last:1"}', "optim.steps=3", "optim.chunk_size=5"
    )
    _fit(plain, same, tmp_path, "plain", resume=False)
    weights, others = (each.networks["text"].state_dict() for each in (objective, plain))
    assert not torch.equal(weights["layers.2.weight"], others["layers.2.weight"])


def test_an_encoder_that_needs_all_its_tokens_is_not_deprived_of_them(
    make: Callable[..., Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tiny.TinyWords, "loses_tokens")
    with pytest.raises(ConfigError, match=r"model\.encoders\.text\.token_dropout; expected an encoder that can do"):
        make("", 'model.encoders.text={name = "tiny-text", trainable = "all", token_dropout = 0.3}')


def test_means_of_sentences_are_refused_where_they_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"loss.image_image.mean_cosine; expected it in text_image"):
        configured(tmp_path, "[loss]\nimage_image = { mean_cosine = 1.0 }\n")
    with pytest.raises(ConfigError, match=r"loss.text_image.mean_cosine beside a text encoder that is trained"):
        configured(tmp_path, "[loss]\ntext_image = { mean_cosine = 1.0 }\n", 'model.encoders.text.trainable="all"')


def test_a_conse_head_starts_as_the_ridge_regression_to_its_sentences() -> None:
    """Features that tell the sentence by a linear map: the head finds it before any step."""
    rng = torch.Generator().manual_seed(0)
    text = F.normalize(torch.randn(6, 8, generator=rng), dim=1)
    said = torch.arange(120) % 6
    features = torch.cat([text[said] @ torch.randn(8, 10, generator=rng) + 3.0, torch.zeros(120, 4)], dim=1)
    names = np.array([f"row {row}" for row in range(120)])
    weight = np.full(120, 1 / 120)
    sentences = [np.array([row]) for row in said.tolist()]
    material = Material(features.half(), names, names, np.arange(120), sentences, weight)
    head = ConseHead(HeadConfig(kind="conse", num_features=14, dim=8, hidden=8, num_classes=4)).eval()
    fit_statistics(head, material.features, material, text)
    head.log_mix.data.fill_(-20.0)
    with torch.no_grad():
        assert ((head(features) @ text.T).argmax(dim=1) == said).float().mean() == 1.0
