"""The composition root: settings -> objects. The only place that turns names into objects.

Also the facade that a Python user meets, `Corpus`.
"""

from ragstone.build import display
from ragstone.build.corpus import Corpus
from ragstone.build.examination import examine
from ragstone.build.names import open_encoder, open_model
from ragstone.build.opening import open, open_corpus  # noqa: A004

__all__ = ["Corpus", "examine", "open", "open_corpus", "open_encoder", "open_model"]

display.install()
