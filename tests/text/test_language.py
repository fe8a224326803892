"""What language a text is said to be in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.text.language import detect_language, main_script

SAYINGS = {
    "en": "The water of the river was cold, and they did not want to cross it before the morning.",
    "de": "Das Wasser des Flusses war kalt, und sie wollten ihn nicht vor dem Morgen überqueren.",
    "fr": "L'eau de la rivière était froide et ils ne voulaient pas la traverser avant le matin.",
    "es": "El agua del río estaba fría y ellos no querían cruzarlo antes de la mañana.",
    "it": "L'acqua del fiume era fredda e non volevano attraversarlo prima della mattina.",
    "pt": "A água do rio estava fria e eles não queriam atravessá-lo antes da manhã.",
    "nl": "Het water van de rivier was koud en zij wilden er niet voor de ochtend over gaan.",
    "sv": "Vattnet i floden var kallt och de ville inte gå över den före morgonen.",
    "da": "Vandet i floden var koldt, og ingen af dem ville gå over den før om morgenen.",
    "pl": "Woda w rzece była zimna i nie chcieli jej przekroczyć przed rankiem, bo to już nie to.",
    "tr": "Nehrin suyu çok soğuktu ve onlar sabah olmadan önce bir daha geçmek istemiyordu.",
    "fi": "Joen vesi oli kylmää, ja he eivät halunneet ylittää sitä ennen aamua, mutta niin se on.",
    "ru": "Вода в реке была холодной, и они не хотели переходить её до утра.",
    "uk": "Вода в річці була холодною, і вони не хотіли переходити її до ранку.",
    "bg": "Водата в реката беше студена и те не искаха да я преминат преди сутринта.",
    "ar": "كان الماء في النهر باردا ولم يريدوا أن يعبروه قبل الصباح",
    "fa": "آب رودخانه سرد بود و آنها نمی‌خواستند پیش از صبح از آن بگذرند",
    "hi": "नदी का पानी ठंडा था और वे सुबह से पहले उसे पार नहीं करना चाहते थे।",
    "zh": "河水很冷，他们不想在早晨之前过河。",
    "ja": "川の水は冷たく、彼らは朝になる前に渡りたくなかった。",
    "ko": "강물은 차가웠고 그들은 아침이 되기 전에 건너고 싶지 않았다.",
    "th": "น้ำในแม่น้ำเย็นและพวกเขาไม่ต้องการข้ามก่อนรุ่งเช้า",
    "el": "Το νερό του ποταμού ήταν κρύο και δεν ήθελαν να τον περάσουν πριν από το πρωί.",
    "he": "המים בנהר היו קרים והם לא רצו לחצות אותו לפני הבוקר.",
}


@pytest.mark.parametrize("language", SAYINGS)
def test_a_sentence_tells_its_language(language: str) -> None:
    assert detect_language(SAYINGS[language]) == language


@given(st.text())
def test_any_text_gives_a_code_or_nothing(text: str) -> None:
    language = detect_language(text)
    assert language == "" or (len(language) == 2 and language.islower())
    if main_script(text) is None:
        assert language == ""


@given(st.text(alphabet="0123456789 .,;-+*/()[]{}<>\n\t"))
def test_numbers_and_signs_have_no_language(text: str) -> None:
    assert detect_language(text) == ""


@pytest.mark.parametrize("text", ["", "Kubernetes", "x = foo(bar)", "SELECT id FROM t"])
def test_too_little_says_nothing(text: str) -> None:
    assert detect_language(text) == ""


def test_foreign_names_do_not_sway_a_text() -> None:
    text = SAYINGS["en"] + " Łódź, Århus, São Paulo, Würzburg, 北京."
    assert detect_language(text) == "en"
    assert detect_language(SAYINGS["ja"] + " Python API") == "ja"


def test_the_middle_of_a_long_text_counts_too() -> None:
    text = "Inhalt 1 2 3 " * 50 + SAYINGS["de"] * 100
    assert detect_language(text) == "de"


def test_letters_of_its_own_help_a_short_text() -> None:
    assert detect_language("Eski bekçi köyün evlerini boyadı ve hikâyeler anlattı.") == "tr"
