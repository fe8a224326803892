"""A corpus can take its vectors from another ragstone server, over the embeddings protocol."""

import ragstone
from ragstone.testing.hashing import HashingEncoder


def test_a_corpus_is_built_and_searched_over_the_embeddings_protocol(server, tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    (files / "tide.txt").write_text("High water at Skerry stands four metres above low water.")
    (files / "tea.txt").write_text("Tea is served in the keeper's kitchen at five.")
    settings = {"encoder": f"{server.url}/v1#hashing", "llm": "none", "workers": 1}
    with ragstone.open(tmp_path / "corpus", **settings) as corpus:
        assert not corpus.sync(files).failed
        assert corpus.encoder.identity == "hashing-http-64"
        hits = corpus.search("how high is the water", mode="dense")
        assert hits[0].document.source.endswith("tide.txt")
        here = HashingEncoder().encode_passages([hits[0].passage.text])[0]
        with corpus.snapshot() as snapshot:
            stored = snapshot.vectors([hits[0].passage.key])[0]
        assert stored @ here > 0.5  # the title stands in front of what is embedded
