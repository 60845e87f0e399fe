"""Publish a model folder on the Hugging Face Hub: checked, with a card that the Hub understands, in one commit.

python -m train.publish DIR user/repo [--private] [--message TEXT]

Prints user/repo@ and the 40 digits of the commit, a name for `unimma.load_model` and `app.py --model`. The token is
that of HF_TOKEN or `hf auth login`. DIR is read and stays as it is.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from httpx2 import HTTPError
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    EvalResult,
    HfApi,
    ModelCardData,
    metadata_load,
)
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from yaml import YAMLError

from train.evaluate.headline import SEEN, measure_name
from unimma.errors import ConfigError, ModelError, UnimmaError
from unimma.hub import REPOSITORY
from unimma.hub_client import quiet_client
from unimma.loading import load_model
from unimma.model import UniMMA

PUBLISHED = ("model.safetensors", "model.pt", "config.json", "README.md", "metrics.json", "train.json")
_MESSAGE = "Model {fingerprint}"
_FINGERPRINT = re.compile(r"Fingerprint `([0-9a-f]{12})`")  # as model_card writes it
_KINDS = {  # a measure's last part → task and metric, as the Hub calls them
    "top1": ("zero-shot-classification", "accuracy"),
    "top5": ("zero-shot-classification", "accuracy"),
    "r1": ("retrieval", "recall"),
    "r5": ("retrieval", "recall"),
    "r10": ("retrieval", "recall"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Publish; the name of what was published goes to standard output, everything else to standard error."""
    args = _parse(argv)
    try:
        name = push(args.folder, args.repository, private=args.private, message=args.message)
    except UnimmaError as error:
        print(error, file=sys.stderr)
        return 2
    print(name, flush=True)
    print(f"Open the app with it: python app.py --model {name}", file=sys.stderr)
    print(f"Use it in Python: unimma.load_model({name!r})", file=sys.stderr)
    return 0


def push(folder: Path, repository: str, *, private: bool = False, message: str | None = None) -> str:
    """Publish a model folder in one commit; what the Hub holds already is not sent again.

    Args:
        folder: what `save_pretrained` or a training run wrote, with a card.
        repository: user/repo; made where it is missing.
        private: make it private; one that is public already is refused.
        message: of the commit; the model's fingerprint where it is left out.

    Returns:
        user/repo@ and the 40 digits of the commit.
    Raises:
        ConfigError: a name or token that the Hub does not take, or no way to it. A commit comes whole or not at all.
        ModelError: the folder cannot be loaded, has no card, or numbers of another model.
    """
    if not REPOSITORY.fullmatch(repository):
        raise _no_name(repository)
    with TemporaryDirectory() as scratch:
        stage = Path(scratch)
        model = prepare(folder, stage)
        commit = _upload(stage, repository, private, message or _MESSAGE.format(fingerprint=model.fingerprint))
    return f"{repository}@{commit}"


def prepare(folder: Path, stage: Path) -> UniMMA:
    """Check a model folder and write what is published of it into `stage`; gives the model.

    Raises:
        ModelError: as `push`.
    """
    model = load_model(folder.resolve(), device="cpu")
    if not model.card.strip():
        todo = "Write what it learned from, its numbers, limits and licences; train.align writes such a card."
        raise ModelError(f"{folder.name} without a model card", "a README.md", todo)
    for file, said in (("README.md", _FINGERPRINT.findall(model.card)), ("metrics.json", _measured(model))):
        if said and model.fingerprint not in said:
            todo = "Measure this one with train.evaluate, or take all files from one run."
            raise ModelError(f"{file} of {folder.name} is about {said[0]}", f"the model {model.fingerprint}", todo)
    given = _front_matter(folder)
    model.save_pretrained(stage, pt=True)
    (stage / "README.md").write_text(hub_card(model, given), encoding="utf-8")
    if (folder / "train.json").is_file():
        shutil.copyfile(folder / "train.json", stage / "train.json")
    return model


def hub_card(model: UniMMA, given: Mapping[str, Any]) -> str:
    """The card with what the Hub reads before it: licence, tags, languages and measured numbers, as YAML.

    Training sets are named by the card's own words: they have no ids on the Hub, which is all that `datasets` takes.

    Args:
        model: with its card and numbers.
        given: what the folder's own card says there already, such as another licence; it goes before ours.
    """
    results = _results(model.metrics)
    ours: dict[str, Any] = {
        "language": "en",
        "license": "other",  # no single one: the card tells each part's
        "license_name": "see-licences-in-the-card",
        "library_name": "unimma",
        "pipeline_tag": "feature-extraction",
        "tags": ["unimma", "multimodal", "embeddings", "retrieval", "zero-shot", *sorted(map(str, model.modalities))],
        "metrics": sorted({result.metric_type for result in results}) or None,
    }
    if "license" in given:  # and only that one
        del ours["license"], ours["license_name"]
    data = ModelCardData(model_name=model.name, eval_results=results or None, **{**ours, **given})
    return f"---\n{data.to_yaml()}\n---\n\n{model.card}"


def _results(metrics: Mapping[str, Any]) -> list[EvalResult]:
    return [
        EvalResult(
            task_type=_KINDS[kind][0],
            dataset_type=stem,
            dataset_name=f"{stem} (not unseen: the picture encoder was trained on ImageNet)" if stem in SEEN else stem,
            dataset_split=metrics.get("split"),
            metric_type=_KINDS[kind][1],
            metric_name=measure_name(measure),
            metric_value=round(measured["value"], 4),
        )
        for stem, measures in metrics.get("sets", {}).items()
        for measure, measured in measures.items()
        if (kind := measure.rpartition("_")[2]) in _KINDS
    ]


def _front_matter(folder: Path) -> dict[str, Any]:
    """What a folder's card says to the Hub already, but for numbers: these come from metrics.json."""
    try:
        given: dict[str, Any] = metadata_load(folder / "README.md") or {}
    except (YAMLError, ValueError) as error:
        came, todo = f"README.md of {folder.name} begins with lines that are no YAML", "Correct or delete them."
        raise ModelError(came, "settings between two lines of ---, or the card", todo) from error
    return {name: value for name, value in given.items() if name not in ("model-index", "metrics")}


def _measured(model: UniMMA) -> list[str]:
    return [str(model.metrics["fingerprint"])] if "fingerprint" in model.metrics else []


def _upload(stage: Path, repository: str, private: bool, message: str) -> str:
    """One commit with all files, so that nobody ever sees half of them: its 40 digits."""
    api = HfApi()
    try:
        with quiet_client():
            api.create_repo(repository, private=private or None, exist_ok=True)
            if private and not api.model_info(repository).private:
                todo = "Leave out --private, or make it private in its settings first."
                raise ConfigError(f"--private for {repository}, which is public", "a private or a new one", todo)
            staged = [name for name in PUBLISHED if (stage / name).is_file()]
            of_another = set(PUBLISHED) & set(api.list_repo_files(repository)) - set(staged)
            changes: list[CommitOperationAdd | CommitOperationDelete] = [
                *(CommitOperationAdd(path_in_repo=name, path_or_fileobj=stage / name) for name in staged),
                *(CommitOperationDelete(name) for name in sorted(of_another)),
            ]
            return api.create_commit(repository, changes, commit_message=message).oid
    except (HTTPError, OSError, RuntimeError, ValueError) as error:  # RuntimeError: around an error of a large file
        raise _refusal(error, repository) from error


def _refusal(error: BaseException, repository: str) -> ConfigError:
    """What went wrong, in a sentence for the person who publishes."""
    if isinstance(error, HFValidationError):
        return _no_name(repository)
    if "Invalid metadata" in str(error):
        came = f"a card whose first lines the Hub does not take ({' '.join(str(error).split())})"
        return ConfigError(came, "valid settings between the lines of ---", "Correct them in README.md.")
    causes = [error]
    while cause := causes[-1].__cause__:
        causes.append(cause)
    status = next((each.response.status_code for each in causes if isinstance(each, HfHubHTTPError)), None)
    match status:
        case 401:
            todo = "Make one on the Hub under Settings, Access Tokens; set HF_TOKEN or run: hf auth login"
            return ConfigError("no token, or one that the Hub does not know", "a token that may write", todo)
        case 403:
            todo = "Check the name and what the token may do."
            return ConfigError(f"a token that may not write to {repository}", "one that may", todo)
        case int():
            came = f"the Hub refuses {repository} with the answer {status}"
            return ConfigError(came, "a commit", "Check the name; try again later.")
    todo = "Check the network and run it again: what has arrived is not sent twice."
    return ConfigError(f"the upload to {repository} broke off", "the Hub's word that all has arrived", todo)


def _no_name(repository: str) -> ConfigError:
    return ConfigError(f"the name {repository!r}", "user/repo of letters, digits, - _ and .", "Check the name.")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="the model: what train.align wrote to --output")
    parser.add_argument("repository", metavar="user/repo", help="made where it is missing")
    parser.add_argument("--private", action="store_true", help="for you alone, or for your organisation")
    parser.add_argument("--message", metavar="TEXT", help="of the commit")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
