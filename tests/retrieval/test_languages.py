"""Files in ten languages, synced for real, are found by their words."""

from __future__ import annotations

import pytest

import ragstone
from ragstone.trace import Trace

FILES = {
    "en": "The old lighthouse keeper repaired the broken lamps before the winter storms.",
    "de": "Der alte Leuchtturmwärter baute zwei Häuser am Fluss und pflanzte viele Apfelbäume.",
    "ru": "Старый смотритель маяка писал длинные письма и собирал редкие книги о кораблях.",
    "tr": "Eski bekçi köyün evlerini boyadı ve çocuklara deniz hakkında hikâyeler anlattı.",
    "ar": "كان الحارس القديم يجمع الكتب النادرة عن السفن ويكتب رسائل طويلة إلى أصدقائه.",
    "hi": "पुराने चौकीदार ने गाँव के लड़कों को जहाज़ों की कहानियाँ सुनाईं और किताबें दीं।",
    "zh": "老灯塔看守人在冬天之前修理了坏掉的灯，并写下了关于海上风暴的日记。",
    "ja": "古い灯台の管理人は冬の前に壊れたランプを修理し、海の嵐についての日記を書いた。",
    "ko": "늙은 등대지기는 겨울이 오기 전에 망가진 등불을 고치고 바다에 대한 일기를 썼다.",
    "th": "คนเฝ้าประภาคารเก่าซ่อมตะเกียงก่อนฤดูหนาวและเขียนบันทึกเกี่ยวกับพายุในทะเล",
}
QUESTIONS = {
    "en": "who repairs a lamp?",
    "de": "Haus und Apfelbaum",
    "ru": "редкая книга",
    "tr": "köy evi",
    "ar": "كتاب نادر",
    "hi": "लड़का किताब",
    "zh": "海上的风暴",
    "ja": "ランプの修理",
    "ko": "바다 일기",
    "th": "พายุในทะเล",
}

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("languages")
    for language, text in FILES.items():
        (folder / f"{language}.txt").write_text(text + "\n", encoding="utf-8")
    with ragstone.open(folder / "corpus") as corpus:
        corpus.sync(*(folder / f"{language}.txt" for language in FILES))
        yield corpus


@pytest.mark.parametrize("language", FILES)
def test_words_of_a_language_find_its_file(corpus, language) -> None:
    hits = corpus.search(QUESTIONS[language], k=3, mode="lexical")
    assert [hit.document.source for hit in hits][:1] == [
        info.source for info in corpus.documents() if info.source.endswith(f"{language}.txt")
    ]
    assert hits[0].scores["bm25"] > 0


def test_the_default_search_tells_every_stage(corpus) -> None:
    trace = Trace()
    hits = corpus.search("who repairs a lamp?", k=3, trace=trace)
    assert hits[0].document.source.endswith("en.txt")
    assert {"bm25", "cosine", "fusion", "phrase", "window"} <= hits[0].scores.keys()
    names = [stage.name for stage in trace.stages]
    assert names == ["lexical", "encode", "dense", "fusion", "proximity", "links"]
