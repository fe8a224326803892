"""What was said in a conversation -> a question that stands alone, or the reply that needs none.

Pure: words of the turn and of the turns before in, an `Understood` out; no model, no documents.
English turns of speech are known, and the commonest courtesies of some other languages; in any
language a follow-up is served by the words that the conversation carries over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ragstone.applications.chat_substitution import substituted
from ragstone.applications.chat_topic import (
    CARRIED,
    about,
    carried,
    content_terms,
    named,
    salience,
    spoken_of,
)
from ragstone.applications.chat_turns import Turn
from ragstone.grounding.lexicon import PRONOUNS
from ragstone.types import Citation

# Weight of the question with its carried words, against the question as it was said: the fewer
# content words it has, and if it points back, the more it leans on what went before. Tuned on
# half of the dialogues of `eval chat`; a weight of 0.5 more loses all that is gained.
BASE = 0.15
BY_SHORTNESS = 0.4
BY_POINTING = 0.2
RETURNED = 0.8  # of a question with the name of the topic that it goes back to
SUBSTITUTED = 0.9  # of the last question with what is new put in the place of its like
_POINTED = 4  # words of a source that "the second one" stands for
_WHOLE_WORDS = 2  # and that a question may be whole with, if the documents say so
_WHOLE_TERMS = 4  # content words of its own that a question on a new topic has at least

HELLO = "Hello. Ask me something about the documents."
THANKS = "You are welcome."
GOODBYE = "Goodbye."
HEARD = "All right. What else would you like to know?"
WHAT = "What is your question about? Name a person, a thing or a topic of the documents."

_COURTESIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reply, re.compile(rf"\W*(?:{words})(?:\s+(?:there|all|everyone|you|so|very|much|a lot|again|"
                       r"for (?:that|this|the help|your help|everything)|then|now))*\W*", re.I))
    for reply, words in (
        (HELLO, r"hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|hallo|"
                r"guten (?:tag|morgen|abend)|bonjour|bonsoir|salut|hola|buenos d[ií]as|ciao|"
                r"buongiorno|ol[áa]|hej|привет|здравствуйте|こんにちは|你好|how are you"),
        (THANKS, r"(?:ok(?:ay)?|great|perfect|good|nice|wow)?[,.! ]*(?:many )?(?:thanks?|thank you|"
                 r"thx|ty|cheers|much appreciated)|danke(?: sch[öo]n)?|vielen dank|merci(?: "
                 r"beaucoup)?|(?:muchas )?gracias|(?:mille )?grazie|obrigad[oa]|tack|bedankt|"
                 r"dank je(?: wel)?|спасибо|ありがとう(?:ございます)?|谢谢"),
        (GOODBYE, r"(?:good ?)?bye(?: bye)?|see you(?: later| soon)?|farewell|good night|"
                  r"tsch[üu]ss|auf wiedersehen|au revoir|adi[óo]s|arrivederci|that(?:'s| is) all"),
        (HEARD, r"ok(?:ay)?|alright|all right|i see|got it|understood|great|perfect|nice|cool|"
                r"good|wow|interesting|good to know|makes sense|never ?mind"),
    )
)  # fmt: skip
_ASSENT = re.compile(
    r"\W*(?:(?:yes|yeah|yep|sure|please|ok|do|ja|oui|s[ií]|да)[,. ]*)*"
    r"(?:yes|yeah|yep|sure|please|more|go on|continue|tell me more|and then|what else|anything else"
    r"|more (?:details?|about (?:that|it|this))|ja|oui|s[ií]|да)(?:,? please)?\W*",
    re.I,
)
_CHANGE = re.compile(
    r"\W*(?:(?:let'?s |can we )?(?:chang(?:e|ing) (?:the )?(?:subject|topic)|talk about something "
    r"else)|(?:new|another|different) (?:question|topic|subject)|on another (?:note|topic)|"
    r"something else|unrelated(?:ly)?)\b[^:,.;]*[:,.;]?",
    re.I,
)
# "Back to Gunicorn: how is it installed?", "returning to the crashes, how many were there?"
_RETURN = re.compile(
    r"\W*(?:(?:ok(?:ay)?|so|and|but|now)[, ]+)?(?:(?:let'?s |can we |i(?:'d| would) like to )?"
    r"(?:(?:go|get|come) )?back|(?:re)?turning(?: back)?|to return|coming back|going back) to "
    r"(?P<what>[^:;,?]{2,60}?)\s*(?:[:;,]\s*(?P<rest>.*))?[.!]*",
    re.I | re.S,
)
_LEANING = re.compile(
    r"^\W*(?:and|but|or|so|also|then|what about|how about|why|what else|which (?:one|of)|any)\b"
    r"|\b(?:the (?:same|other|others|rest|first|second|third|last|former|latter)|ones?|instead)\b",
    re.I,
)
_UNRESOLVED = re.compile(r"\b(?:it|they|them|he|him|she|her|his|its|their|that|this|those|these)\b",
                         re.I)  # fmt: skip
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "former": 0,
             "latter": 1, "last": -1}  # fmt: skip
_QUESTION = re.compile(
    r"(?:how|what|why|when|where|who|which|is|are|do|does|did|can)\b|.*\?\W*$", re.I | re.S
)
_COMPARES = re.compile(r"\b(?:compar|differ|versus|vs\b|better|worse|than\b)", re.I)
_NTH = re.compile(
    r"\bthe (first|second|third|fourth|fifth|former|latter|last)(?: (?:one|source|quote|point|item"
    r"|of (?:them|these|those)))?(?=\W|$)|(?:\[|\bnumber |\bno\. ?|#)(\d{1,2})\]?",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Understood:
    """A turn's meaning. With `reply` it is answered by that, without documents.

    `said` is searched for as it is, `meant` with what the conversation carries over, and
    `weight` (0 to 1) says how much the second counts. `more` asks for what was not cited yet.
    """

    said: str
    meant: str = ""
    weight: float = 0.0
    carried: tuple[str, ...] = ()
    new_topic: bool = False
    more: bool = False
    reply: str = ""
    kind: Literal["answer", "courtesy", "clarification"] = "answer"
    is_whole: bool = False  # a question with words enough, that points at nothing said before

    @property
    def standalone(self) -> str:
        """The question that is answered: on a new topic, as it was said."""
        return self.said if self.new_topic else self.meant


def understand(text: str, turns: Sequence[Turn]) -> Understood:
    """The turn `text` after `turns` (oldest first). Law: without turns, a question that has
    words of its own is meant as it is said."""
    said = " ".join(text.split())
    reply = courtesy(said, asked_back=bool(turns) and turns[-1].kind == "clarification")
    if reply:
        return Understood(said, reply=reply, kind="courtesy")
    earlier = [turn for turn in turns if turn.kind != "courtesy"]
    own = content_terms(said)
    if earlier and earlier[-1].kind == "clarification":
        unclear = earlier[-1].question
        meant = f"{unclear.rstrip(' ?.!')}: {said}"
        if own and _QUESTION.match(said) and not content_terms(unclear):  # "it?" adds nothing
            return Understood(said, said)
        if len(earlier) == 1 or own:
            return Understood(said, meant, 0.5, tuple(content_terms(unclear).values()))
    topic = [turn for turn in earlier if turn.kind == "answer"]
    if not topic:
        if not own or (len(own) < 2 and _UNRESOLVED.search(said) and "?" in said):
            return Understood(said, reply=WHAT, kind="clarification")
        return Understood(said, said)
    changed = _CHANGE.match(said)
    if changed and content_terms(said[changed.end() :]):
        rest = said[changed.end() :].strip()
        return Understood(rest, rest, new_topic=True)
    again = _RETURN.fullmatch(said)
    if again and (before := about(again["what"], topic)):
        return _returned(again["what"], (again["rest"] or "").strip(), before)
    return _followed(said, own, _since_new(topic))


def _since_new(topic: Sequence[Turn]) -> Sequence[Turn]:
    """The turns on the topic at hand: from the last that began one on."""
    begun = [place for place, turn in enumerate(topic) if turn.new_topic]
    return topic[begun[-1] :] if begun else topic


def _returned(what: str, rest: str, before: Sequence[Turn]) -> Understood:
    """Back to what earlier turns were about: their words count, and not those in between."""
    asked = before[-1].standalone or before[-1].question
    if not content_terms(rest):
        return Understood(asked, asked, 1.0, more=not before[-1].answer.abstained)
    words = list(content_terms(what).values())
    words = [word for word in words if word.lower() not in rest.lower()][:_POINTED]
    return Understood(rest, _with(rest, words), RETURNED, tuple(words))


def courtesy(said: str, *, asked_back: bool = False) -> str:
    """The reply to a greeting, thanks, a farewell or a mere "I see"; "" for all else."""
    for reply, pattern in _COURTESIES:
        if pattern.fullmatch(said) and not (asked_back and reply == HEARD):
            return reply
    return ""


def _followed(said: str, own: dict[str, str], topic: Sequence[Turn]) -> Understood:
    last = topic[-1]
    instead = substituted(said, last.standalone or last.question)
    if instead:
        kept = [word for term, word in content_terms(instead).items() if term not in own]
        return Understood(said, instead, SUBSTITUTED, tuple(kept[:_POINTED]))
    if not own:
        weights = salience(topic[-1:])
        asked = last.standalone or last.question
        words = carried(asked, weights)
        more = bool(_ASSENT.fullmatch(said))
        if more and last.answer.abstained:
            return _instead(said, topic)
        # "why?" asks of the last question, "yes" and "more" ask it again.
        meant = asked if more else _with(f"{said.rstrip(' ?.!')}: {asked}", words)
        return Understood(said, meant, 1.0, () if more else tuple(words), more=more)
    weights = salience(topic)
    pointed = [*_pointed(said, topic), *named(said, topic)]
    others = [word for word in carried(said, weights) if word not in pointed]
    most = CARRIED + (_POINTED if _NTH.search(said) else 0)
    words = [*dict.fromkeys(pointed), *others][:most]
    if _is_new(said, own, weights):
        return Understood(said, said, new_topic=True)
    weight = BASE + BY_SHORTNESS / len(own) + (BY_POINTING if _points_back(said) else 0.0)
    whole = len(own) >= _WHOLE_WORDS and not pointed and not _points_back(said)
    return Understood(said, _with(said, words), weight, tuple(words), is_whole=whole)


def _instead(said: str, topic: Sequence[Turn]) -> Understood:
    """ "Yes" or "more" after a refusal: the question that it said the documents could answer, else
    more of what was answered last."""
    declined = topic[-1].answer.abstention
    if declined is not None and declined.could_answer:
        return Understood(said, declined.could_answer, 1.0)
    answered = [turn for turn in topic if not turn.answer.abstained]
    turn = (answered or topic)[-1]
    return Understood(said, turn.standalone or turn.question, 1.0, more=bool(answered))


def _is_new(said: str, own: dict[str, str], weights: dict[str, tuple[float, str]]) -> bool:
    """Whether a full question shares nothing with the conversation and points at nothing."""
    if len(own) < _WHOLE_TERMS or any(term in weights for term in own):
        return False
    return not _points_back(said)


def _points_back(said: str) -> bool:
    words = (word.lower() for word in re.findall(r"[^\W\d_]+", said))
    return any(word in PRONOUNS for word in words) or bool(_LEANING.search(said))


def _pointed(said: str, topic: Sequence[Turn]) -> list[str]:
    """What "the second one" or "[2]" of the last answer names: the title of what it cites. Where
    things are compared that were asked about by name, the first of them is the first."""
    words: list[str] = []
    last = topic[-1]
    compared = spoken_of(topic) if _COMPARES.search(said) else []
    for match in _NTH.finditer(said):
        place = int(match[2]) - 1 if match[2] else _ORDINALS[match[1].lower()]
        if not match[2] and len(compared) > 1 and -len(compared) <= place < len(compared):
            words.append(compared[place])
            continue
        cited: Sequence[Citation] = last.answer.citations
        if -len(cited) <= place < len(cited) and cited:
            citation = cited[place]
            terms = content_terms(f"{citation.title} {citation.quote}")
            words += list(terms.values())[:_POINTED]
    return words


def _with(said: str, words: Sequence[str]) -> str:
    return f"{said} ({', '.join(words)})" if words else said
