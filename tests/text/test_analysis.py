"""Laws and examples of `ragstone.text.analysis`: two writings of one thing share a term."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.text.analysis import (
    MAX_TERM,
    analyse,
    analyse_question,
    stem,
    telling_words,
)


@given(st.text())
def test_any_text_has_terms_without_blanks_and_of_bounded_length(text: str) -> None:
    for term in analyse(text):
        assert term
        assert len(term) <= MAX_TERM
        assert not any(character.isspace() for character in term)


@given(st.text(), st.sampled_from(["", "en", "de", "tr", "ar", "hi", "ru", "xx"]))
def test_analysis_is_a_function_of_its_arguments(text: str, language: str) -> None:
    assert analyse(text, language) == analyse(text, language)


@given(st.text(), st.text())
def test_words_of_two_lines_are_the_words_of_each(first: str, second: str) -> None:
    assert analyse(f"{first}\n{second}") == analyse(first) + analyse(second)


@given(st.text())
def test_compatibility_forms_do_not_matter(text: str) -> None:
    assert analyse(text) == analyse(unicodedata.normalize("NFC", text))


@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_case_of_a_plain_word_does_not_matter(word: str) -> None:
    assert analyse(word) == analyse(word.title()) == [stem(word)]


@given(st.text())
def test_a_question_with_terms_is_never_emptied(text: str) -> None:
    assert bool(analyse_question(text)) == bool(analyse(text))
    assert set(analyse_question(text)) <= set(analyse(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("running", "runs"),
        ("max_tokens", "maxTokens"),
        ("max_tokens", "max-tokens"),
        ("MaxTokens", "max tokens"),
        ("e-mail", "email"),
        ("1,234 people", "1234"),
        ("1,234,567.5", "1234567.5"),
        ("10kg", "10 kg"),
        ("COVID-19", "covid"),
        ("DNAs", "DNA"),
        ("the dog's", "dog"),
        ("l’homme", "homme"),
        ("café", "cafe"),
        ("Ångström", "angstrom"),
        ("ﬁne", "fine"),
        ("os.path.join", "join"),
        ("U.S.", "US"),
        ("__init__", "init"),
        ("Łódź", "lodz"),
        ("१२३", "123"),
        ("iPhone手机", "iphone"),
        ("iPhone手机", "手机"),
        ("well‑known", "well-known"),
        ("word,", "word"),
    ],
)
def test_two_writings_share_a_term(one: str, other: str) -> None:
    assert set(analyse(one)) & set(analyse(other))


@pytest.mark.parametrize(("text", "term"), [("C++ code", "c++"), ("F#, too", "f#"), ("(C#)", "c#")])
def test_names_with_signs_are_terms_of_their_own(text: str, term: str) -> None:
    assert term in analyse(text)
    assert term not in analyse(text.replace("+", "").replace("#", ""))


@pytest.mark.parametrize(
    ("language", "text", "question"),
    [
        ("zh", "北京是中华人民共和国的首都。", "中国的首都"),
        ("ja", "東京都は日本の首都であり、人口が多い。", "日本の首都はどこ"),
        ("ko", "서울은 대한민국의 수도이다. 학교에서 물을 마신다.", "대한민국 수도"),
        ("ko", "아이들이 물을 마신다.", "물"),
        ("th", "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย", "เมืองหลวงของไทย"),
        ("km", "ភ្នំពេញជារាជធានីនៃកម្ពុជា", "រាជធានី"),
        ("ar", "القاهرة هي عاصمة جمهورية مصر العربية، وكُتُبُها كثيرة", "كتب عاصمه مصر"),
        ("hi", "दिल्ली भारत की राजधानी है और लड़कियाँ पढ़ती हैं", "लड़की राजधानी"),
        ("ru", "Новые книги лежат на столах", "новая книга на столе"),
        ("de", "Die alten Häuser stehen am Fluß", "altes Haus Fluss"),
        ("tr", "İstanbul'daki evlerin kapıları açık", "ev kapı"),
        ("fr", "Les chevaux mangeaient l'herbe", "herbe mangée"),
        ("el", "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας", "πρωτευουσα"),
        ("he", "יְרוּשָׁלַיִם היא עיר", "ירושלים"),
    ],
)
def test_words_of_every_language_find_their_text(language: str, text: str, question: str) -> None:
    terms = set(analyse(text, language))
    asked = analyse_question(question, [language])
    found = [term for term in asked if term in terms]
    assert len(found) >= len(asked) / 2, (asked, sorted(terms))


def test_the_language_chooses_the_stemmer() -> None:
    assert analyse("Häuser", "de") == analyse("Haus", "de")
    assert analyse("Häuser") != analyse("Haus")
    assert analyse("Häuser", "de-CH") == analyse("Häuser", "de")
    assert analyse("running книги", "ru") == [stem("runs"), stem("книга", "ru")]


def test_stop_words_go_by_the_language_of_the_documents() -> None:
    assert analyse_question("Who will die in the house?") == ["die", "hous"]
    assert analyse_question("die Stadt", ["de"]) == ["stadt"]
    assert "die" in analyse_question("die Stadt", ["de", "en"])
    assert analyse_question("to be or not to be") == ["to", "be", "or", "not"]


def test_punctuation_alone_has_no_terms() -> None:
    assert analyse("?!… --- ///") == []
    assert analyse_question("？！。") == []


def test_a_long_unbroken_text_is_cut_and_not_kept() -> None:
    assert analyse("a" * 10_000) == ["a" * MAX_TERM]


@given(st.text(), st.sampled_from(["", "de", "ru"]))
def test_telling_words_are_words_of_the_text_and_never_none_of_them(
    text: str, language: str
) -> None:
    kept = telling_words(text, language)
    assert bool(analyse(kept, language)) == bool(analyse(text, language))
    assert set(kept.split()) <= set(text.split())


def test_telling_words_keep_their_writing() -> None:
    assert telling_words("Who is the director of IBM's U.S. lab?") == "director IBM's U.S. lab?"
    assert telling_words("to be or not to be") == "to be or not to be"
    assert telling_words("Was ist die Hauptstadt?", "de") == "Hauptstadt?"
