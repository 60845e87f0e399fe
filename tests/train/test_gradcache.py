"""Gradients in chunks against gradients of the whole batch at once."""

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch import Tensor

from tests.train.small import SmallProblem
from train.gradcache import Workers, add_gradients
from train.problem import Batch
from unimma.errors import ConfigError

SEED = (0, 0, 0, 0)


class Listening(SmallProblem):
    """Remembers what it embedded, and with which seed."""

    def __init__(self, dropout: float) -> None:
        super().__init__(dropout)
        self.calls: list[tuple[str, Tensor, int]] = []

    def embed(self, key: str, rows: Tensor) -> Tensor:
        self.calls.append((key, rows, torch.initial_seed()))
        return super().embed(key, rows)


def batch_of(problem: SmallProblem, seed: int = 0) -> Batch:
    return problem.draw(np.random.default_rng(seed))


def gradients(problem: SmallProblem) -> dict[str, Tensor]:
    found = {name: p.grad.clone() for name, p in problem.named_parameters() if p.grad is not None}
    problem.zero_grad()
    return found


def at_once(problem: SmallProblem, batch: Batch) -> dict[str, Tensor]:
    """The definition: one graph of everything, one backward pass."""
    z = {key: problem.embed(key, rows) for key, rows in batch.inputs.items()}
    sum(problem.loss(z, batch).values(), torch.tensor(0.0)).backward()
    return gradients(problem)


def assert_close(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert value.abs().max() > 1e-4, f"{name} has no gradient to compare"
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-5)


@pytest.mark.parametrize("chunk_size", [1, 3, 5, 100, None])
def test_chunks_give_the_gradients_of_the_whole_batch(chunk_size: int | None) -> None:
    problem = SmallProblem(dropout=0.0)
    batch = batch_of(problem)
    expected = at_once(problem, batch)
    terms = add_gradients(problem, batch, Workers(Accelerator(), chunk_size), SEED)
    assert_close(gradients(problem), expected)
    assert terms.keys() == {"image_text", "views"} and all(value > 0 for value in terms.values())


@pytest.mark.parametrize("chunk_size", [2, 5, None])
def test_dropout_is_the_same_when_a_chunk_is_embedded_again(chunk_size: int | None) -> None:
    problem = Listening(dropout=0.5)
    batch = batch_of(problem)
    add_gradients(problem, batch, Workers(Accelerator(), chunk_size), SEED)
    found, calls = gradients(problem), problem.calls
    first = calls[: len(calls) // 2] if chunk_size else [*calls]
    assert len({seed for *_, seed in first}) == len(first)  # no two chunks share their noise
    assert all(len(rows) <= (chunk_size or 13) for _, rows, _ in first)
    z: dict[str, list[Tensor]] = {key: [] for key in batch.inputs}
    for key, rows, seed in first:  # one graph of everything, with the dropout of each chunk
        torch.default_generator.manual_seed(seed)
        z[key].append(problem.embed(key, rows))
    whole = {key: torch.cat(parts) for key, parts in z.items()}
    sum(problem.loss(whole, batch).values(), torch.tensor(0.0)).backward()
    assert_close(found, gradients(problem))
    add_gradients(problem, batch, Workers(Accelerator(), chunk_size), (*SEED[:3], 9))
    other = gradients(problem)
    assert not torch.allclose(other["towers.image.0.weight"], found["towers.image.0.weight"], atol=1e-3)


def test_batches_that_are_accumulated_give_their_mean_gradient() -> None:
    problem = SmallProblem(dropout=0.0)
    one, other = batch_of(problem, 0), batch_of(problem, 1)
    two = [at_once(problem, batch) for batch in (one, other)]
    for batch in (one, other):
        add_gradients(problem, batch, Workers(Accelerator(), 4), SEED, share=0.5)
    assert_close(gradients(problem), {name: (two[0][name] + two[1][name]) / 2 for name in two[0]})


def test_a_frozen_tower_gets_no_gradient_and_the_others_keep_theirs() -> None:
    problem = SmallProblem(dropout=0.0)
    batch = batch_of(problem)
    expected = at_once(problem, batch)
    problem.towers["text"].requires_grad_(False)
    add_gradients(problem, batch, Workers(Accelerator(), 4), SEED)
    assert_close(gradients(problem), {name: g for name, g in expected.items() if "text" not in name})


def test_an_empty_key_is_refused() -> None:
    problem = SmallProblem()
    batch = batch_of(problem)
    empty = Batch({**batch.inputs, "image/view": torch.zeros(0, 10)}, batch.facts)
    with pytest.raises(ConfigError, match=r"0 rows of 'image/view' for 1 processes"):
        add_gradients(problem, empty, Workers(Accelerator()), SEED)
