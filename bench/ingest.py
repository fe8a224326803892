"""From files to searchable, beside LlamaIndex, Haystack, txtai and LangChain, with one encoder.

    python bench/ingest.py DATA_DIR [--peer NAME=PYTHON ...] [--abstracts 500] [--rounds 1]
    python bench/ingest.py DATA_DIR --own-encoders FOLDER [--peer NAME=PYTHON ...]

`DATA_DIR` holds scifact/corpus.jsonl.gz, financebench/pdfs and docs_trees/flask-docs.tar.gz; a
PYTHON is the interpreter of an environment in which that framework is installed, with onnxruntime
and tokenizers. Every framework gets the shipped int8 model through its own seam for embedding
functions, its own reader and splitter at about ragstone's passage size, without overlap (which is
in its favour: the defaults overlap and so embed more), and its default store in memory. ragstone
writes its corpus to disk, with both indexes. The frameworks' wrapper uses onnxruntime as its users
do: all cores inside an operator, 32 texts to a batch (LlamaIndex: its own 10), padded.

With `--own-encoders` the frameworks embed as their own documentation says to: FOLDER holds
all-MiniLM-L6-v2 as it was published (model.safetensors), and each gets its own class for it, with
its defaults: sentence-transformers in fp32 (`HuggingFaceEmbedding`, `HuggingFaceEmbeddings`,
`SentenceTransformersDocumentEmbedder`), txtai its pooling over transformers. Readers, splitters and
stores stay the same. This is what a user sees who follows the documentation; the other mode says
what the frameworks themselves cost.

Each contender runs alone in a process of its own, on the same data, one after the other; measured
from the first file to a first search that finds something, without imports and without loading
the model. Wall-clock suffers from other work on the machine; seconds of processor time (children
included) suffer less. `bare encoder` encodes exactly the texts that ragstone embedded, and
nothing else. "tokens" are those that were embedded, padding not counted.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import itertools
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

RESULTS = Path(__file__).parent / "results" / "ingest.json"
FILINGS = ("BESTBUY_2024Q2_10Q.pdf", "AMAZON_2019_10K.pdf", "Pfizer_2023Q2_10Q.pdf")
PEERS = ("llamaindex", "haystack", "langchain", "txtai")
QUESTION = "What does it say about risk?"
CHARACTERS, WORDS, TOKENS = 800, 125, 170  # of a passage, by what each splitter counts


class Encoder:
    """The shipped model as a framework's user would wrap it: onnxruntime, tokenizers, batches."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        self.session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
        )
        self.tokenizer = self.tokenizer_of(folder)
        self.tokenizer.enable_padding()
        self.texts = self.tokens = 0

    @staticmethod
    def tokenizer_of(folder: Path) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(256)
        return tokenizer

    def encode(self, texts: Sequence[str], batch: int = 32) -> list[list[float]]:
        import numpy as np

        vectors: list[list[float]] = []
        for at in range(0, len(texts), batch):
            encoded = self.tokenizer.encode_batch(list(texts[at : at + batch]))
            lengths = np.array([sum(e.attention_mask) for e in encoded], np.int32)
            ids = np.array([e.ids for e in encoded], np.int32)
            (made,) = self.session.run(
                ["sentence_embedding"], {"input_ids": ids, "lengths": lengths}
            )
            vectors.extend(made.tolist())
            self.texts += len(encoded)
            self.tokens += int(lengths.sum())
        return vectors


class Own:
    """The published weights, for each framework's own class; counts what it is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.tokenizer = Encoder.tokenizer_of(folder)
        self.texts = self.tokens = 0
        self.given: list[str] = []

    def count(self) -> None:
        """Tokens of what was given; after the measurement."""
        self.texts = len(self.given)
        self.tokens = sum(len(e.ids) for e in self.tokenizer.encode_batch(self.given))


# --- one contender each: (folder, encoder) -> a search that gives the text that was found best

Search = Callable[[str], str]


def rows_of(folder: Path) -> list[dict[str, str]]:
    """Title and text of each row of the folder's .jsonl files."""
    return [
        json.loads(line)
        for path in sorted(folder.rglob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def files_of(folder: Path, *endings: str) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in endings)


def llamaindex(folder: Path, encoder: Encoder | Own) -> Search:
    from llama_index.core import Document, SimpleDirectoryReader, VectorStoreIndex
    from llama_index.core.embeddings import BaseEmbedding
    from llama_index.core.node_parser import SentenceSplitter

    class Wrapped(BaseEmbedding):
        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return encoder.encode(texts)

        def _get_text_embedding(self, text: str) -> list[float]:
            return encoder.encode([text])[0]

        def _get_query_embedding(self, query: str) -> list[float]:
            return encoder.encode([query])[0]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    rows = rows_of(folder)
    if rows:
        documents = [Document(text=f"{row['title']}\n{row['text']}") for row in rows]
    else:
        wanted = [".pdf", ".rst", ".md", ".txt"]
        documents = SimpleDirectoryReader(
            str(folder), recursive=True, required_exts=wanted
        ).load_data()
    if isinstance(encoder, Own):
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        model: BaseEmbedding = HuggingFaceEmbedding(model_name=encoder.folder)
    else:
        model = Wrapped()
    index = VectorStoreIndex.from_documents(
        documents, embed_model=model,
        transformations=[SentenceSplitter(chunk_size=TOKENS, chunk_overlap=0)],
    )  # fmt: skip
    if isinstance(encoder, Own):
        nodes = index.docstore.docs.values()
        encoder.given += [node.get_content(metadata_mode="embed") for node in nodes]
    retriever = index.as_retriever(similarity_top_k=1)
    return lambda question: str(retriever.retrieve(question)[0].get_content())


def haystack(folder: Path, encoder: Encoder | Own) -> Search:
    from haystack import Document
    from haystack.components.converters import PyPDFToDocument, TextFileToDocument
    from haystack.components.preprocessors import DocumentSplitter
    from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
    from haystack.components.writers import DocumentWriter
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    documents = [Document(content=f"{row['title']}\n{row['text']}") for row in rows_of(folder)]
    if pdfs := files_of(folder, ".pdf"):
        documents += PyPDFToDocument().run(sources=pdfs)["documents"]
    if texts := files_of(folder, ".rst", ".md", ".txt"):
        documents += TextFileToDocument().run(sources=texts)["documents"]
    splitter = DocumentSplitter(split_by="word", split_length=WORDS, split_overlap=0)
    splitter.warm_up()
    pieces = splitter.run(documents=documents)["documents"]
    if isinstance(encoder, Own):
        from haystack_integrations.components.embedders import sentence_transformers as room

        given = {"model": encoder.folder, "progress_bar": False}
        embedder = room.SentenceTransformersDocumentEmbedder(**given)
        asker = room.SentenceTransformersTextEmbedder(**given)
        embedder.warm_up()
        asker.warm_up()
        pieces = embedder.run(documents=pieces)["documents"]
        encoder.given += [piece.content for piece in pieces]
    else:
        vectors = encoder.encode([piece.content for piece in pieces])
        pieces = [
            dataclasses.replace(piece, embedding=vector)
            for piece, vector in zip(pieces, vectors, strict=True)
        ]
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    DocumentWriter(document_store=store).run(documents=pieces)
    retriever = InMemoryEmbeddingRetriever(document_store=store, top_k=1)

    def search(question: str) -> str:
        if isinstance(encoder, Own):
            vector = asker.run(text=question)["embedding"]
        else:
            vector = encoder.encode([question])[0]
        return str(retriever.run(query_embedding=vector)["documents"][0].content)

    return search


def langchain(folder: Path, encoder: Encoder | Own) -> Search:
    from langchain_community.document_loaders import PyPDFLoader, TextLoader
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import InMemoryVectorStore
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    class Wrapped(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return encoder.encode(texts)

        def embed_query(self, text: str) -> list[float]:
            return encoder.encode([text])[0]

    documents = [Document(page_content=f"{row['title']}\n{row['text']}") for row in rows_of(folder)]
    for path in files_of(folder, ".pdf"):
        documents += PyPDFLoader(str(path)).load()
    for path in files_of(folder, ".rst", ".md", ".txt"):
        documents += TextLoader(str(path), encoding="utf-8").load()
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHARACTERS, chunk_overlap=0)
    pieces = splitter.split_documents(documents)
    model: Embeddings = Wrapped()
    if isinstance(encoder, Own):
        from langchain_huggingface import HuggingFaceEmbeddings

        model = HuggingFaceEmbeddings(model_name=encoder.folder)
        encoder.given += [piece.page_content for piece in pieces]
    store = InMemoryVectorStore(model)
    store.add_documents(pieces)
    return lambda question: store.similarity_search(question, k=1)[0].page_content


def txtai(folder: Path, encoder: Encoder | Own) -> Search:
    """It has no splitter of its own for plain strings: paragraphs are packed to the same size."""
    import numpy as np
    from txtai import Embeddings

    texts = [f"{row['title']}\n{row['text']}" for row in rows_of(folder)]
    if pdfs := files_of(folder, ".pdf"):
        from pypdf import PdfReader

        texts += [page.extract_text() for path in pdfs for page in PdfReader(path).pages]
    texts += [path.read_text(encoding="utf-8") for path in files_of(folder, ".rst", ".md", ".txt")]
    pieces: list[str] = []
    for text in texts:
        held = ""
        for line in text.replace(". ", ".\n").splitlines(keepends=True):
            if held and len(held) + len(line) > CHARACTERS:
                pieces.append(held)
                held = ""
            held += line
        if held.strip():
            pieces.append(held)
    if isinstance(encoder, Own):
        index = Embeddings(path=encoder.folder, content=True)
        encoder.given += pieces
    else:
        index = Embeddings(
            method="external", content=True,
            transform=lambda texts: np.array(encoder.encode(texts), np.float32),
        )  # fmt: skip
    index.index([(number, piece, None) for number, piece in enumerate(pieces)])
    return lambda question: str(index.search(question, 1)[0]["text"])


def ragstone(folder: Path, scratch: Path) -> tuple[Search, Callable[[], None]]:
    import ragstone

    corpus = ragstone.open(scratch)
    corpus.encoder.encode_queries(["opened"])

    def go() -> None:
        corpus.sync(folder)

    return lambda question: corpus.search(question, k=1)[0].passage.text, go


def embedded_texts(scratch: Path) -> list[str]:
    """Every different text that a sync embedded, in the order of the passages."""
    import ragstone
    from ragstone.documents import chunk, embedding_text, table_header

    corpus = ragstone.open(scratch, read_only=True)
    spans = corpus.encoder.token_spans
    texts = [
        embedding_text(document.title, passage, header=table_header(document, passage))
        for document in (corpus.document(info.id) for info in corpus.documents())
        for passage in chunk(document, token_spans=spans)
    ]
    return list(dict.fromkeys(texts))


# --- measuring: in a process of its own


def cpu_s() -> float:
    """Seconds of processor time of this process and of its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def run(
    name: str, folder: Path, model: Path, scratch: Path, weights: Path | None
) -> dict[str, object]:
    """Ingest the folder with one contender, search once; the figures."""
    texts = tokens = 0
    found = ""
    if name in ("ragstone", "bare encoder"):
        from ragstone.models.encoder import shipped_encoder
        from ragstone.models.tokens import open_tokens

        if name == "ragstone":
            search, go = ragstone(folder, scratch)
            wall, cpu = time.perf_counter(), cpu_s()
            go()
            found = search(QUESTION)
        else:
            given = embedded_texts(scratch)
            encoder = shipped_encoder()
            encoder.encode_queries(["opened"])
            wall, cpu = time.perf_counter(), cpu_s()
            encoder.encode_passages(given)
            found = given[0]
        wall, cpu = time.perf_counter() - wall, cpu_s() - cpu
        texts_embedded = embedded_texts(scratch)
        texts = len(texts_embedded)
        counter = open_tokens(model / "tokenizer.json", max_tokens=256)
        tokens = sum(map(len, counter.ids(texts_embedded)))
    else:
        wrapped = Own(weights) if weights else Encoder(model)
        contender: Callable[[Path, Encoder | Own], Search] = globals()[name]
        with_imports = Path(scratch / "empty")
        with_imports.mkdir(parents=True, exist_ok=True)
        (with_imports / "a.jsonl").write_text('{"title": "t", "text": "warm up, risk"}\n')
        contender(with_imports, wrapped)(QUESTION)  # imports are not measured
        loading = 0.0
        if isinstance(wrapped, Own):  # it is loaded with every start: measured alone, taken off
            loading = cpu_s()
            contender(with_imports, wrapped)(QUESTION)
            loading = cpu_s() - loading
            wrapped.given = []
        wrapped.texts = wrapped.tokens = 0
        wall, cpu = time.perf_counter(), cpu_s()
        search = contender(folder, wrapped)
        found = search(QUESTION)
        wall, cpu = time.perf_counter() - wall, cpu_s() - cpu - loading
        if isinstance(wrapped, Own):
            wrapped.count()
            texts, tokens = wrapped.texts, wrapped.tokens
        else:
            texts, tokens = wrapped.texts - 1, wrapped.tokens
    if not found.strip():
        raise SystemExit(f"{name} found nothing")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "contender": name, "texts": texts, "tokens": tokens, "wall_s": round(wall, 2),
        "cpu_s": round(cpu, 2), "peak_mb": round(peak),
    }  # fmt: skip


def folders(data: Path, scratch: Path, given: argparse.Namespace) -> dict[str, Path]:
    """The data sets as folders of files, no larger than was asked for."""
    made = {name: scratch / name for name in ("abstracts", "filings", "docs tree")}
    for folder in made.values():
        folder.mkdir()
    with (
        gzip.open(data / "scifact" / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines,
        (made["abstracts"] / "rows.jsonl").open("w", encoding="utf-8") as out,
    ):
        out.writelines(itertools.islice(lines, given.abstracts))
    for name in [given.filing] if given.filing else FILINGS[: given.filings]:
        shutil.copy(data / "financebench" / "pdfs" / name, made["filings"])
    with tarfile.open(data / "docs_trees" / "flask-docs.tar.gz") as archive:
        archive.extractall(made["docs tree"], filter="data")
    for path in files_of(made["docs tree"], ".rst", ".md", ".txt")[given.pages :]:
        path.unlink()
    return made


def table(rows: Sequence[dict[str, object]]) -> str:
    """The rows as Markdown; "times ours" is the ratio of CPU seconds."""
    lines = [
        "| data | contender | texts | tokens | wall s | CPU s | times ours | CPU us a token | MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    ours = {row["data"]: row for row in rows if row["contender"] == "ragstone"}
    for row in rows:
        cpu, tokens = float(str(row["cpu_s"])), int(str(row["tokens"]))
        times = cpu / float(str(ours[row["data"]]["cpu_s"])) if row["data"] in ours else 0.0
        lines.append(
            f"| {row['data']} | {row['contender']} | {row['texts']} | {tokens} | {row['wall_s']} "
            f"| {cpu} | {times:.2f} | {cpu / max(1, tokens) * 1e6:.0f} | {row['peak_mb']} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--abstracts", type=int, default=500)
    parser.add_argument("--filings", type=int, default=3)
    parser.add_argument("--pages", type=int, default=1000, help="of the docs tree")
    parser.add_argument("--only", nargs="*", default=[], help="data sets")
    parser.add_argument("--filing", default="", help="another one, by its file's name")
    parser.add_argument("--own-encoders", type=Path, metavar="FOLDER", help="the published model")
    parser.add_argument("--rounds", type=int, default=1, help="the least CPU seconds count")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        print(
            json.dumps(run(given.run, given.data, given.model, given.scratch, given.own_encoders))
        )
        return
    from ragstone.models import encoder as room

    model = Path(room.__file__).parent / "weights" / room.SHIPPED
    contenders = [("ragstone", sys.executable), ("bare encoder", sys.executable)]
    contenders += [tuple(spec.split("=", 1)) for spec in given.peer]
    weights = ["--own-encoders", str(given.own_encoders)] if given.own_encoders else []
    best: dict[tuple[str, str], dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as held:
        made = folders(given.data, Path(held), given)
        for turn, (data, folder) in itertools.product(range(given.rounds), made.items()):
            if given.only and data not in given.only:
                continue
            corpus = Path(held) / f"corpus {data} {turn}"
            for name, python in contenders:
                if name not in ("ragstone", "bare encoder", *PEERS):
                    parser.error(f"no contender is called {name!r}; there are {', '.join(PEERS)}")
                own = corpus if name in ("ragstone", "bare encoder") else Path(held) / name
                done = subprocess.run(
                    [python, __file__, str(folder), "--run", name, "--model", str(model),
                     "--scratch", str(own), *weights],
                    stdout=subprocess.PIPE, text=True, check=True,
                )  # fmt: skip
                row = {"data": data, **json.loads(done.stdout.splitlines()[-1])}
                print(row, file=sys.stderr, flush=True)
                known = best.get((data, name))
                if known is None or float(str(row["cpu_s"])) < float(str(known["cpu_s"])):
                    best[data, name] = row
    rows = list(best.values())
    print(table(rows))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    mode = "own encoders" if given.own_encoders else "one encoder"
    old = stored.get(mode, {"rows": []})
    new = {(row["data"], row["contender"]) for row in rows}
    kept = [row for row in old["rows"] if (row["data"], row["contender"]) not in new]
    stored[mode] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores", "commit": commit.stdout.strip(),
        "load_average": os.getloadavg()[0], "abstracts": given.abstracts,
        "filings": [given.filing] if given.filing else FILINGS[: given.filings],
        "pages": given.pages, "rows": kept + rows,
    }  # fmt: skip
    RESULTS.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
