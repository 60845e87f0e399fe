"""Gradients of a loss over a whole batch whose rows do not fit into memory at once, nor into one process.

A contrastive loss needs every row's embedding, but its gradient passes the embeddings one by one. So (Gao et al. 2021,
Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup, arXiv 2101.06983): embed chunk by chunk without
a graph, take the loss's gradient with respect to the embeddings, then embed each chunk again, with a graph and the same
dropout, and pass its part of that gradient on. Several processes are the same thing in space instead of time: each
embeds its share of the chunks, and all of them see all embeddings.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from train.problem import Batch, Problem
from unimma.errors import ConfigError


@dataclass(frozen=True)
class Chunk:
    """Rows of one key that are embedded together, and the seed of what is random about them."""

    key: str
    rows: slice
    seed: Sequence[int]


@dataclass(frozen=True)
class Workers:
    """Who embeds, and how.

    Attributes:
        accelerator: of this process.
        chunk_size: the most rows embedded at once; None: each process takes its share in one piece and keeps the graph.
        mixed: embed in bfloat16 where that is safe; loss and weights stay float32.
    """

    accelerator: Accelerator
    chunk_size: int | None = None
    mixed: bool = False


def seed_torch(device: torch.device, *seed: int) -> None:
    """Seed torch's global generators, of the CPU and of a device, from a few numbers."""
    value = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
    torch.default_generator.manual_seed(value)  # torch.manual_seed() keeps a note for every kind of device it knows
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(value)


def add_gradients(
    problem: Problem, batch: Batch, workers: Workers, seed: Sequence[int], share: float = 1.0
) -> dict[str, float]:
    """Add this process's part of the gradient of `share` × the loss to the parameters' `.grad`.

    The sum over all processes (`sum_gradients`) is the gradient of the loss over the whole batch: what the loss itself
    uses (logit scales) is the same on every process and counts one part in as many, embeddings count where they
    were made. The cut into chunks depends on `chunk_size` alone while there are as many chunks as processes, so
    that dropout does not depend on the number of processes.

    Returns:
        The terms of the loss, the same on every process.
    Raises:
        ConfigError: a key with fewer rows than there are processes.
    """
    accelerator = workers.accelerator
    own = list(_own_chunks(batch, workers, seed))
    keep_graph = workers.chunk_size is None
    made = [_embed(problem, batch, chunk, workers, graph=keep_graph) for chunk in own]
    leaves = {key: z.requires_grad_() for key, z in _gather(batch, own, made, accelerator).items()}

    facts = {name: fact.to(accelerator.device) for name, fact in batch.facts.items()}
    seed_torch(accelerator.device, *seed)
    terms = problem.loss(leaves, Batch(batch.inputs, facts))
    total = torch.stack([term.float() for term in terms.values()]).sum()
    own_parameters = [p for p in problem.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(share * total, [*leaves.values(), *own_parameters], allow_unused=True)
    of_leaf = dict(zip(leaves, gradients[: len(leaves)], strict=True))
    for parameter, gradient in zip(own_parameters, gradients[len(leaves) :], strict=True):
        if gradient is not None:
            part = gradient / accelerator.num_processes
            parameter.grad = part if parameter.grad is None else parameter.grad + part

    for index, chunk in enumerate(own):
        of_rows = of_leaf[chunk.key]
        if of_rows is not None:
            z = made[index] if keep_graph else _embed(problem, batch, chunk, workers, graph=True)
            if z.requires_grad:  # not where everything up to here is frozen
                z.backward(of_rows[chunk.rows])
    values = torch.stack(
        [term.detach().float() for term in terms.values()]
    ).tolist()  # one wait for the device, not many
    return dict(zip(terms, values, strict=True))


def sum_gradients(parameters: Sequence[nn.Parameter], accelerator: Accelerator) -> None:
    """Make every parameter's `.grad` the sum over all processes; it stays None where no process has one."""
    if accelerator.num_processes == 1:
        return
    present = torch.tensor([float(p.grad is not None) for p in parameters], device=accelerator.device)
    flat = [(torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in parameters]
    summed = accelerator.reduce(torch.cat([present, *flat]), "sum")
    present, *parts = summed.split([len(parameters), *(len(part) for part in flat)])
    for parameter, found, part in zip(parameters, present.tolist(), parts, strict=True):
        parameter.grad = part.view_as(parameter) if found else None


def _own_chunks(batch: Batch, workers: Workers, seed: Sequence[int]) -> Iterator[Chunk]:
    """The chunks of a batch that this process embeds; every process has one of each key at least."""
    accelerator = workers.accelerator
    for number, (key, rows) in enumerate(batch.inputs.items()):
        if len(rows) < accelerator.num_processes:
            came = f"a batch with {len(rows)} rows of {key!r} for {accelerator.num_processes} processes"
            raise ConfigError(came, "one row or more for each", "Start fewer processes or raise optim.batch_size.")
        num_chunks = -(-len(rows) // (workers.chunk_size or len(rows)))
        edges = np.linspace(0, len(rows), max(num_chunks, accelerator.num_processes) + 1).astype(int).tolist()
        for index in range(accelerator.process_index, len(edges) - 1, accelerator.num_processes):
            yield Chunk(key, slice(edges[index], edges[index + 1]), (*seed, 1 + number, index))


def _embed(problem: Problem, batch: Batch, chunk: Chunk, workers: Workers, *, graph: bool) -> Tensor:
    """One chunk's embeddings, float32 [rows, D]."""
    device = workers.accelerator.device
    seed_torch(device, *chunk.seed)
    with torch.set_grad_enabled(graph), torch.autocast(device.type, torch.bfloat16, enabled=workers.mixed):
        return problem.embed(chunk.key, batch.inputs[chunk.key][chunk.rows].to(device)).float()


def _gather(
    batch: Batch, own: Sequence[Chunk], made: Sequence[Tensor], accelerator: Accelerator
) -> Mapping[str, Tensor]:
    """All rows' embeddings by key, without a graph: the sum of what each process has, zeros where it has none."""
    whole = {}
    for chunk, z in zip(own, made, strict=True):
        if chunk.key not in whole:
            whole[chunk.key] = z.new_zeros(len(batch.inputs[chunk.key]), z.shape[1])
        whole[chunk.key][chunk.rows] = z.detach()
    return {key: accelerator.reduce(z, "sum") for key, z in whole.items()}
