"""OpenAI's own client against the server: nothing but its base address is changed."""

from __future__ import annotations

import math

import openai
import pytest

QUESTION = "When was the lamp of Skerry first lit?"


@pytest.fixture
def client(server):
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def quoted(server, annotation) -> str:
    """The words that an annotation's address names, read from the document itself."""
    citation = annotation if isinstance(annotation, dict) else annotation.model_dump()
    address = citation["url"]
    assert address.startswith(f"{server.url}/#/main/document?")
    query = dict(pair.split("=") for pair in address.split("?", 1)[1].split("&"))
    return server.client.get(server.api("document"), params=query).json()["text"]


def test_models_are_the_corpora_and_their_encoders(client):
    owners = {model.id: model.owned_by for model in client.models.list()}
    assert owners == {"main": "ragstone", "hashing": "ragstone-encoder"}


def test_a_completion_carries_its_citations_in_the_text_and_as_annotations(client, server):
    done = client.chat.completions.create(
        model="main", messages=[{"role": "user", "content": QUESTION}]
    )
    message = done.choices[0].message
    assert done.choices[0].finish_reason == "stop"
    assert "3 May 1871" in message.content
    assert "[1]" in message.content.split("Sources:")[0]
    assert "[1] The lamp of Skerry: “" in message.content
    assert message.annotations
    for annotation in message.annotations:
        citation = annotation.url_citation
        claim = message.content[citation.start_index : citation.end_index]
        quote = quoted(server, citation)
        assert quote == citation.model_dump()["quote"]
        assert quote in message.content
        assert claim in message.content.split("Sources:")[0]
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 0


def test_a_streamed_completion_says_the_same(client):
    asked = {"model": "main", "messages": [{"role": "user", "content": QUESTION}]}
    whole = client.chat.completions.create(**asked)
    chunks = list(
        client.chat.completions.create(
            **asked, stream=True, stream_options={"include_usage": True}, temperature=0.3
        )
    )
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    last = [chunk for chunk in chunks if chunk.choices][-1]
    assert last.choices[0].finish_reason == "stop"
    annotated = last.choices[0].delta.model_dump()["annotations"]
    assert annotated == [a.model_dump() for a in whole.choices[0].message.annotations]
    assert chunks[-1].usage == whole.usage


def test_what_the_documents_do_not_say_is_said_to_be_so(client):
    done = client.chat.completions.create(
        model="main", messages=[{"role": "user", "content": "Who won the cup in Brazil?"}]
    )
    assert done.choices[0].message.content.startswith("The documents do not answer this.")
    assert done.model_dump()["ragstone"]["abstained"] is True


def test_a_response_and_its_stream(client, server):
    whole = client.responses.create(model="main", input=QUESTION)
    assert "3 May 1871" in whole.output_text
    (content,) = whole.output[0].content
    assert content.annotations
    assert all(quoted(server, each) in whole.output_text for each in content.annotations)
    with client.responses.stream(model="main", input=QUESTION) as stream:
        seen = list(stream)
        final = stream.get_final_response()
    assert final.output_text == whole.output_text
    assert seen[0].type == "response.created"
    assert seen[-1].type == "response.completed"
    deltas = [e.delta for e in seen if e.type == "response.output_text.delta"]
    assert "".join(deltas) == whole.output_text
    added = [e for e in seen if e.type == "response.output_text.annotation.added"]
    assert len(added) == len(content.annotations)
    numbers = [event.sequence_number for event in seen]
    assert numbers == sorted(numbers)


def test_a_question_may_refer_to_the_turns_before(client, server):
    first = {"role": "user", "content": "How long is the boat of the station?"}
    said = client.chat.completions.create(model="main", messages=[first])
    assert "boat" in said.choices[0].message.content
    turns = [first, {"role": "assistant", "content": said.choices[0].message.content}]
    follow_up = {"role": "user", "content": "When was it built?"}
    done = client.chat.completions.create(model="main", messages=[*turns, follow_up])
    before = said.choices[0].message.content.split("\n\nSources:")[0]
    expected = server.corpus.chat(turns=[(first["content"], before)]).ask(follow_up["content"])
    assert expected.text in done.choices[0].message.content
    assert "Petrel" in expected.hits[0].passage.text
    response = client.responses.create(model="main", input=[*turns, follow_up])
    assert response.output_text == done.choices[0].message.content


def test_parts_of_messages_and_a_filter(client):
    parts = [{"type": "text", "text": QUESTION}]
    hidden = client.chat.completions.create(
        model="main",
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}],
        extra_body={"where": "format = 'pdf'"},
    )
    assert "3 May 1871" not in hidden.choices[0].message.content


@pytest.mark.parametrize("form", ["float", "base64"])
def test_embeddings_are_those_of_the_encoder(client, server, form):
    texts = ["the lamp", "the boat"]
    found = client.embeddings.create(model="hashing", input=texts, encoding_format=form)
    default = client.embeddings.create(model="hashing", input=texts)
    expected = server.corpus.encoder.encode_passages(texts)
    for row, same, vector in zip(found.data, default.data, expected, strict=True):
        assert same.embedding == pytest.approx(vector, abs=1e-6)
        if form == "float":
            assert row.embedding == pytest.approx(vector, abs=1e-6)
            assert math.isclose(sum(x * x for x in row.embedding), 1.0, abs_tol=1e-5)


def test_errors_are_the_clients_own(client):
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "x"}])
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.UnprocessableEntityError):
        client.chat.completions.create(model="main", messages=[{"role": "system", "content": "x"}])
    with pytest.raises(openai.UnprocessableEntityError):
        client.responses.create(model="main", input=QUESTION, previous_response_id="resp_1")
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model="hashing", input="x", dimensions=3)


def test_a_wrong_key_is_an_authentication_error(start, tmp_path):
    from ragstone.serve.keys import Keys

    keys = Keys(tmp_path / "k.json")
    key = keys.add("one", role="read")
    server = start(keys)
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            client.models.list()
        assert client.with_options(api_key=key).models.list().data
