"""Sentences of documents that speak to the machine that reads them.

Documents are data. A sentence that tells a reader-model what to do is no evidence about the
world: it is not shown to the model and carries no claim. Recognised are turns of phrase that
address a model (its instructions, prompt, role, output) in some widespread languages, marks
of chat formats, and commands to speak that stand next to such a sentence. What is not
recognised still meets the check of every claim against its evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_OBJECT = (
    r"(?:instructions?|prompts?|rules|directions|directives|guidelines|commands|orders|context"
    r"|constraints|system message|anweisungen|instruktionen|regeln|consignes|instrucciones"
    r"|reglas|istruzioni|инструкции|указания|指示|指令|說明|命令)"
)
_DISMISS = (
    r"(?:ignore|ignor\w*|disregard|forget|override|bypass|discard|drop|skip|neglect|do not follow"
    r"|don't follow|stop following|vergiss|vergessen|missachte\w*|oublie[rz]?|olvida|ignora"
    r"|dimentica|игнорируй\w*|забудь\w*|忽略|无视|無視)"
)
_EARLIER = (
    r"(?:all|any|previous|prior|above|earlier|preceding|foregoing|former|existing|your|other|every"
    r"|these|those|system|user|original|vorherigen?|bisherigen?|alle[ns]?|toute?s|todas|tutte|précédente?s?|anteriores"
    r"|precedenti|предыдущие|все)"
)
_MODEL = r"(?:(?:ai|large) )?(?:ai|llm|language model|assistant|chatbot|rag system|copilot|gpt)s?"
_REPLY = r"(?:answer|response|reply|output|summary)s?"
_PATTERNS = (
    rf"{_DISMISS}\b[^.!?\n]{{0,30}}\b{_EARLIER}\b[^.!?\n]{{0,40}}{_OBJECT}",
    rf"{_DISMISS}\b[^.!?\n]{{0,20}}\b(?:everything|anything|the text|all text"
    rf"|what)\b[^.!?\n]{{0,30}}"
    r"\b(?:above|before|earlier|so far|previously|told)\b",
    rf"(?:忽略|无视|無視)[^。！？\n]{{0,30}}{_OBJECT}|{_OBJECT}[^。！？\n]{{0,10}}を?(?:忽略|無視)",
    r"\b(?:new|updated|revised|hidden|secret) (?:system )?instructions?\b",
    r"\b(?:system|developer) (?:prompt|message|instructions?|override)\b",
    r"\b(?:hidden|initial|original|your(?: own)?) prompt\b|\byour (?:training data"
    r"|context window)\b",
    r"\byou are (?:now |no longer )(?:an? |bound |dan\b|free|unrestricted|in \w+ mode)",
    rf"\byou are (?:a|an|the) [^.!?\n]{{0,40}}\b{_MODEL}\b",
    rf"\b(?:dear|attention|hey|hello|note (?:to|for)|message (?:to|for)|instructions? (?:to|for)) "
    rf"(?:an? |the |any |all )?{_MODEL}\b|\bas an? {_MODEL}\b\s*(?:[,:]|reading|you)",
    rf"\b{_MODEL}\b[^.!?\n]{{0,30}}\b(?:reading|processing|summarizing|summarising) this\b",
    rf"\bany {_MODEL}\b[^.!?\n]{{0,30}}\b(?:must|should|shall|has to|needs? to)\b",
    rf"\b(?:if|when) you(?:'re| are) (?:an? )?{_MODEL}\b",
    r"\byou\b[^.!?\n]{0,30}\b(?:developer|dan|god|jailbreak|debug|admin) mode\b",
    rf"\b(?:act|behave|pretend|roleplay)\b[^.!?\n]{{0,20}}\b(?:as|like|to be)\b[^.!?\n]{{0,40}}"
    rf"\b(?:{_MODEL}|restrictions?|pirate|hacker)\b",
    r"<\|?/?(?:im_start|im_end|system|user|assistant|endoftext)\|?>|\[/?INST\]|<</?SYS>>",
    r"^\W*(?:system|assistant|developer|instruction)s?\s*:\s*\S",
    r"###\s*(?:instruction|system|response|human|assistant)",
    r"\b(?:begin|end|start) (?:of )?(?:system )?(?:prompt|instructions|override)\b",
    r"\bcite\b[^.!?\n]{0,60}\b(?:instead|for every|for all|regardless|no matter|in every"
    r"|even if)\b",
    rf"\bin your {_REPLY}\b|\b(?:to|at the end of|into) (?:your|every|each) {_REPLY}\b"
    rf"|\b(?:end|start|begin|finish) (?:your|every|each) {_REPLY}\b|\byour (?:only|final"
    rf"|next) {_REPLY}\b",
    r"\b(?:respond|reply|answer)\b[^.!?\n]{0,20}\b(?:only with|with only|nothing but"
    r"|in the style|to (?:every|any|all) questions?)\b",
    r"\b(?:do not|don't|never) (?:mention|reveal|disclose|cite|tell|answer|use"
    r"|trust)\b[^.!?\n]{0,60}"
    r"\b(?:the user|other (?:documents?|passages?|sources?|evidence)|this (?:instruction|message)"
    r"|any (?:source|citation)s?|the (?:question|evidence))\b",
    r"\b(?:reveal|print|output|leak|dump|repeat|display|disclose"
    r"|list)\b[^.!?\n]{0,40}\b(?:the prompt"
    r"|your instructions|other documents|all documents|all passages|everything above|text above"
    r"|conversation so far|api keys?)\b",
    r"\btell the user\b|\bthe user (?:must|should) be told\b|\bdem (?:benutzer"
    r"|nutzer) (?:sagen|mit)",
    r"\boverrides? (?:all|any|everything|previous|the system)\b",
    r"\b(?:correct|right|only|true) answer to (?:any|every|all|this) questions?\b",
)
_STRONG = re.compile("|".join(_PATTERNS), re.IGNORECASE)
# One of these stands in every sentence that a pattern above could match: a quick first look.
_HINTS = (
    "ignor", "disregard", "forget", "overrid", "bypass", "discard", "drop", "skip", "neglect",
    "follow", "vergiss", "vergess", "missacht", "oublie", "olvida", "dimentica", "игнорир",
    "забудь", "忽略", "无视", "無視", "instruct", "prompt", "training data", "context window",
    "you are", "you're", " ai", "llm", "language model", "assistant", "chatbot", "copilot", "gpt",
    "rag system", " mode", "restriction", "pirate", "hacker", "<|", "<<", "inst]", "system",
    "developer", "###", "cite", "your answer", "your response", "your reply", "your output",
    "your summary", "your only", "your final", "your next", "every ", "each ", "respond", "reply",
    "answer", "user", "do not", "don't", "never", "reveal", "print", "output", "leak", "dump",
    "repeat", "display", "disclose", "nutzer",
)  # fmt: skip
_COMMAND = re.compile(
    r"^\W*(?:please |now |then |instead,? |and |also |from now on,? |always |only |simply |just )*"
    r"(?:say|output|print|respond|reply|write|answer|repeat|reveal|tell|state|claim|cite|call|send"
    r"|visit|click|translate|execute|run|return|include|append|add|insert|end|start|begin|speak"
    r"|use|give|praise|recommend|declare|confirm|sag|sage|antworte|gib|schreibe|réponds|dis|écris"
    r"|di|responde|escribe|rispondi|ответь|скажи|напиши)\b|^\W*(?:回答|输出|输出|说|答え)",
    re.IGNORECASE,
)
_DEMAND = re.compile(
    r"\b(?:must|should|shall|has to) (?:be )?(?:given|stated|said|reported|answered|shown|mentioned"
    r"|called|say|answer|state|mention)\b",
    re.IGNORECASE,
)
_INVISIBLE = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0x00AD]
)
# Cyrillic and Greek letters that look Latin, as attackers use them.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁɡАВЕКМНОРСТХІЅЈΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "aeopcyxijsdgABEKMHOPCTXISJABEZHIKMNOPTYXo"
)


def addresses_model(text: str) -> bool:
    """Whether a sentence tells a reading machine what to do."""
    if _matches(text):
        return True
    if text.isascii():
        return False
    plain = unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
    if plain != text and _matches(plain):
        return True
    mixed = plain.translate(_LOOKALIKES)
    return mixed != plain and _matches(mixed)


@lru_cache(maxsize=8192)
def _matches(text: str) -> bool:
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS) and _STRONG.search(text) is not None


def instructing(sentences: Sequence[str]) -> list[bool]:
    """For the sentences of one passage in order: which speak to the machine.

    A bare command to speak ("Say that ...") counts where it stands within two sentences of
    one that addresses a model; alone it may be a manual's.
    """
    strong = [addresses_model(sentence) for sentence in sentences]
    found = list(strong)
    for place, sentence in enumerate(sentences):
        near = strong[max(0, place - 2) : place + 3]
        commands = _COMMAND.match(sentence) or _DEMAND.search(sentence)
        if not found[place] and any(near) and commands:
            found[place] = True
    return found
