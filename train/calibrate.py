"""The cosine of unrelated pairs: its mean and deviation for every pair of modalities, stored with the model."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from unimma.types import Modality

MAX_ROWS = 1_500  # of each modality: two million pairs are plenty for a mean and a deviation


def null_similarities(
    embeddings: Mapping[Modality, npt.NDArray[np.float32]], meanings: Mapping[Modality, npt.NDArray[np.str_]]
) -> dict[str, tuple[float, float]]:
    """ "query modality-gallery modality" → mean and standard deviation of the cosine over pairs of different meaning.

    Args:
        embeddings: unit rows [n, D] by modality.
        meanings: [n]; rows with the same one are related and left out.
    """
    null = {}
    for query, q in embeddings.items():
        for gallery, g in embeddings.items():
            cosine = q[:MAX_ROWS] @ g[:MAX_ROWS].T
            unrelated = meanings[query][:MAX_ROWS, None] != meanings[gallery][None, :MAX_ROWS]
            null[f"{query}-{gallery}"] = (float(cosine[unrelated].mean()), float(cosine[unrelated].std()))
    return null
