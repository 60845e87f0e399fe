"""Everything that can be found: items with their media and vectors, kept in a folder, searchable while it grows."""

from unimma.gallery.adding import AddReport
from unimma.gallery.embedder import Embedder
from unimma.gallery.gallery import Gallery

__all__ = ["AddReport", "Embedder", "Gallery"]
