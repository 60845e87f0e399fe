"""What a config may not say although each of its values is fine."""

from collections.abc import Iterator

from train.shapes import ModelShape
from train.weights import DEFAULT_CLASSES, PAIRS, TEXT_PAIRS, LossConfig, PairLoss
from unimma.types import Modality


def contradictions(shape: ModelShape, loss: LossConfig, views: int, *, distils: bool) -> Iterator[tuple[str, str]]:
    """What in a config does not go together: what is said, and what would.

    Args:
        views: varied ones of each item, as [data] says.
        distils: whether there is a [distill].
    """
    has = set(shape.modalities)
    if Modality.TEXT not in has:
        yield "model.modalities without text", "text among them: everything else is learned from sentences"
    for table, tables in (("encoders", shape.encoders), ("heads", shape.heads)):
        for modality in set(tables) - has:
            yield f"model.{table}.{modality} of a model without {modality}", "it in model.modalities"
    clips = shape.encoder(Modality.VIDEO).of_towers
    if Modality.VIDEO in has and clips and not {Modality.IMAGE, Modality.AUDIO} <= has:
        yield "video as frames and sound of a model without image or audio", "these two, or another video encoder"
    for modality in shape.modalities:
        encoder, where = shape.encoder(modality), f"model.encoders.{modality}.token_dropout"
        if encoder.token_dropout and modality is not Modality.TEXT:
            yield where, "it for text"
        if encoder.token_dropout and encoder.trainable == "frozen":
            yield f"{where} of a frozen encoder", "it where the encoder is trainable: others read each sentence once"
    if distils and (Modality.AUDIO not in has or "yamnet-student" not in shape.encoder(Modality.AUDIO).parts):
        yield "[distill] of a model without yamnet-student", "it in model.encoders.audio"
    yield from _contradicting_heads(shape)
    yield from _contradicting_losses(shape, loss, views)


def _contradicting_heads(shape: ModelShape) -> Iterator[tuple[str, str]]:
    for modality in shape.modalities:
        kind, encoder = shape.head(modality).kind, shape.encoder(modality)
        where = f"model.heads.{modality}"
        if modality is not Modality.VIDEO and encoder.of_towers:
            yield f"frames_and_sound for {modality}", "it for video"
        if encoder.of_towers and encoder.trainable != "frozen":
            yield "frames_and_sound that is trainable", "image or audio encoders that are: clips go through these"
        if kind == "clip" and not encoder.of_towers:
            yield f"{where} of kind clip", "it on frames and sound"
        if kind == "conse" and modality not in DEFAULT_CLASSES:
            yield f"{where} of kind conse", "it on pictures or sounds"
        if kind == "bridge" and modality is Modality.TEXT:
            yield f"{where} of kind bridge", "it on pictures, sounds or clips"
        if kind == "conse" and shape.encoder(Modality.TEXT).trainable != "frozen":
            yield f"{where} of kind conse beside a text encoder that is trained", "a frozen one: it embeds the classes"
        if shape.head(modality).class_names and kind not in (None, "conse"):
            yield f"{where}.class_names for a head of kind {kind}", "them for a conse head"


def _contradicting_losses(shape: ModelShape, loss: LossConfig, views: int) -> Iterator[tuple[str, str]]:
    has = set(shape.modalities)
    on = loss.pairs(has)
    clips = shape.encoder(Modality.VIDEO).of_towers
    for name in on:
        for modality in PAIRS[name]:
            if modality not in has:
                yield f"loss.{name} of a model without {modality}", "modalities that it has"
            if modality is Modality.VIDEO and clips and name != "video_text":
                yield f"loss.{name} with clips of frames and sound", "video_text"
    for name, terms in on.items():
        if terms.mean_cosine and name not in TEXT_PAIRS.values():
            yield f"loss.{name}.mean_cosine", f"it in {', '.join(TEXT_PAIRS.values())}"
        if terms.mean_cosine and shape.encoder(Modality.TEXT).trainable != "frozen":
            yield (
                f"loss.{name}.mean_cosine beside a text encoder that is trained",
                "a frozen one: means are of features",
            )
    for name, given in ((name, getattr(loss, name)) for name in PAIRS):
        if isinstance(given, PairLoss) and given.hard_negatives:
            if name not in TEXT_PAIRS.values():
                yield f"loss.{name}.hard_negatives", f"them in {', '.join(TEXT_PAIRS.values())}"
            if not given.info_nce:
                yield f"loss.{name}.hard_negatives without info_nce", "both: they are negatives of this loss"
    for name in {"image_image", "audio_audio"} & set(on):
        if views == 0:
            yield f"loss.{name} with data.views = 0", "one varied view of each item or more"
    for modality in DEFAULT_CLASSES:
        kind, pair = shape.head(modality).kind, TEXT_PAIRS[modality]
        if not getattr(loss, f"{modality}_classes"):
            continue
        if modality not in has or kind not in (None, "conse"):
            yield f"loss.{modality}_classes without a conse head on {modality}", "such a head"
        if pair not in on:
            yield f"loss.{modality}_classes without loss.{pair}", "both: the soft labels are of its rows"
    for number, teacher in enumerate(loss.teachers):
        where = f"loss.teachers.{number} ({teacher.name})"
        if TEXT_PAIRS.get(teacher.modality) not in on or (teacher.modality is Modality.VIDEO and clips):
            yield f"{where} for {teacher.modality}", "a medium with a text loss, and no clips of frames and sound"
        if teacher.soft_labels and shape.encoder(Modality.TEXT).trainable != "frozen":
            yield (
                f"{where} with soft_labels beside a text encoder that is trained",
                "a frozen one: it embeds the classes",
            )
    if not on:
        yield "no loss with a weight above 0", "one at least"
