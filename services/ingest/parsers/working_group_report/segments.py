"""A stretch of words before one attribution, and what kind of words it is: verb, object, tail."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from services.ingest.normalise.states import leading_state

_LEADING = re.compile(r"^(?:[\s;,.:/*&)\]•●▪·]|(?:-|–|—)\s)+")
_TRAILING = re.compile(r"(?:[\s;,:/*&(\[]|\s[-–])+$")
_FULL_STOP = re.compile(r"(?<!\betc)(?<!\bNo)(?<!\b[A-Z])\.+$")
_CONJUNCTION = re.compile(r"^((?i:and|as well as|or|and/or|así como|et|ou|ainsi que)\b(?:\s+also\b)?|[yeo]\b),?\s+")
_TRAILING_CONJUNCTION = re.compile(r"[\s,;]+(?:and|or|y|o|et|ou)$")
_SUB_ITEM = re.compile(r"^\(?(?:[a-z]|[ivx]{1,4})\)\s+")
_TAIL = re.compile(
    r"^(?:including|especially|particularly|in|with|within|without|by|for|through|as (?!well)|aiming|where|which|who"
    r"|whose|while|so (?:that|as)|such as|at|on|of|from|among|until|under|towards?|between|during|after|before|if|when"
    r"|inter alia|along|against|thereby|notably|also (?:in|by|for|through)|not only|via|throughout|across|over|based"
    r"|pursuant|prior|according(?: to)?|following)\b"
)
_SPECIFIES = re.compile(r"^(?:including|especially|particularly|in particular|notably|such as|inter alia)\b")
_FRONTED = re.compile(
    r"^(?:with|in|within|through|as|for|on|at|by|under|together)\b[^,;]{3,80},\s+(?:to )?(?P<verb>[\w-]+)\s"
)
"""Words before the verb of a sentence of its own ("with the help of others, strengthen …")."""

_OPENS_SENTENCE = re.compile(
    r"^(?:to |also |further |not |that\b|it\b|there\b|(?!(?:com|ap|sup|re|multi)ply |rely )[\w-]+ly )"
)
_NOUN = re.compile(r"^(?:the|its|a|an|all|other|international|[A-Z]{2,}[A-Z0-9-]*)\b(?!\s+(?:Government|State)\b)")
_BESIDE_VERBS = frozenset(
    ("to", "and", "or", "also", "further", "early", "should", "the", "possibility", "of", "steps")
)
"""What may stand between verbs that lack their object ("Consider the possibility of signing and/or ratifying")."""

_PARTY = re.compile(r"\b(?:a |State )?part(?:y|ies)(?: to)?$", re.IGNORECASE)
_OPEN_END = re.compile(
    r"\b(?:to|of|on|with|in|for|by|at|from|towards|the|its|a|into|ratification|accession|signature)$", re.IGNORECASE
)
_DANGLES = re.compile(r"\b(?:of|with|the|its)$")
_SHORT_EFFORTS = re.compile(
    r"^\w+ (?:(?!these|those|its|their|such)[\w-]+ )?(?:efforts|steps|measures)$", re.IGNORECASE
)
_LONGEST_VERB_PHRASE = 9
_ADDRESSEE = re.compile(
    r"^(?:the )?(?:(?:State|Government)(?: party| under review| of [A-Z][\w’-]+(?: [A-Z][\w’-]+)*)?|it|"
    r"[A-Z][a-z]+(?:an|ese|ish|i) Government|authorities of [A-Z][\w’-]+)(?=\s)"
)
_GENITIVE = re.compile(r"[’'](?:s)?$")
_WHAT_TO_DO = re.compile(
    r"^,?\s+(?:should )?(?:to )?(?:(?:also|further|(?!(?:com|ap|sup|re|multi)ply|rely)[a-z]+ly) )*"
    r"(?=(?P<verb>[a-z-]+)\b)"
)


@dataclass(slots=True)
class Segment:
    """A stretch of words before one attribution (or several in a row). `before` is the punctuation in front of it.

    `restart`: its States begin another recommendation here. `follows`: though it opens like a verb, it only goes on.
    """

    before: str
    conjunction: str
    words: str
    states: tuple[str, ...]
    restart: bool = False
    follows: bool = False

    @property
    def stroke(self) -> bool:
        """Whether a stroke stands before the words: an alternative to others."""
        return "/" in self.before

    @property
    def tail(self) -> bool:
        """Whether the words can only follow others ("as soon as possible")."""
        return self.follows or (bool(_TAIL.match(self.words)) and not self.fronted)

    @property
    def specifies(self) -> bool:
        """Whether the words pick something out of what stands right before them ("in particular by guards")."""
        return bool(_SPECIFIES.match(self.words)) and not self.stroke

    @property
    def fronted(self) -> bool:
        """Whether the words are a sentence whose verb does not come first."""
        found = _FRONTED.match(self.words)
        return found is not None and found["verb"] in imperatives()

    @property
    def noun(self) -> bool:
        """Whether the words lack a verb ("the Optional Protocol to CAT")."""
        if self.words[:1].isupper() or not self.words:
            return bool(_NOUN.match(self.words))
        return not self.tail and not self.verb

    @property
    def verb(self) -> bool:
        """Whether the words open with a verb, as a recommendation of its own does."""
        return self.fronted or opens_with_verb(self.words)

    @property
    def verb_only(self) -> bool:
        """Whether the words lack an object ("Consider ratifying", "Become a party to")."""
        return lacks_object(self.words)

    @property
    def main(self) -> bool:
        """Whether the words are a whole recommendation, on which others can hang."""
        return not (self.tail or self.noun or self.verb_only or self.stroke)


def opens_with_verb(text: str) -> bool:
    """Whether `text` begins with a verb, or with "that" and a sentence, as recommendations do."""
    words = text.lower()
    while (opening := _OPENS_SENTENCE.match(words)) is not None:
        if opening[0] in ("that", "it", "there"):
            return True
        words = words[opening.end() :]
    first = re.match(r"[\w-]*", words)
    return first is not None and (first[0] in imperatives() or first[0].endswith("ing"))


def lacks_object(text: str) -> bool:
    """Whether `text` is a verb that still needs its object ("Consider ratifying", "Become a party to")."""
    words = text.lower().replace("/", " ").split()
    if not words or len(words) > _LONGEST_VERB_PHRASE:
        return bool(_DANGLES.search(text)) and opens_with_verb(text)
    if _PARTY.search(text) or _OPEN_END.search(text):
        return True
    verbs = imperatives()
    if _SHORT_EFFORTS.match(text) and words[0] in verbs:
        return True
    return all(word in verbs or word in _BESIDE_VERBS or word.endswith(("ing", "ly")) for word in words)


def without_addressee(text: str) -> str:
    """`text` without the State it is for: "That Peru ratify CAT", "Peru to ratify CAT" are "Ratify CAT"."""
    words = text.removeprefix("That ").removeprefix("that ")
    named = leading_state(words)
    addressee = _ADDRESSEE.match(words) if named is None else None
    at = named[1] if named else addressee.end() if addressee else 0
    if _GENITIVE.search(words[:at]):  # "Peru's plan should be public" is about the plan
        return text
    told = _WHAT_TO_DO.match(words[at:]) if at else None
    if told is None or told["verb"] not in imperatives() or told["verb"] == "be":
        return text
    words = words[at + told.end() :]
    return words[:1].upper() + words[1:] if text[:1].isupper() else words


@cache
def imperatives() -> frozenset[str]:
    """The verbs with which recommendations begin (`imperatives.txt`)."""
    text = (files("services.ingest.normalise.lookups") / "imperatives.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def segment_of(text: str, states: tuple[str, ...], *, restart: bool = False) -> Segment:
    """The segment that stands before an attribution of `states`."""
    before, conjunction, words = bare(text)
    return Segment(before, conjunction, _FULL_STOP.sub("", tidy(words)), states, restart=restart)


def bare(text: str) -> tuple[str, str, str]:
    """A stretch cut into the punctuation before it, its conjunction, and its words without a letter like "(a)"."""
    leading = _LEADING.match(text)
    before = leading[0] if leading else ""
    words = _SUB_ITEM.sub("", text[len(before) :])
    joined = _CONJUNCTION.match(words)
    conjunction = joined[1] if joined else ""
    words = words[joined.end() :] if joined else words
    return before, conjunction, _SUB_ITEM.sub("", words)


def tidy(text: str) -> str:
    """`text` without the punctuation and the conjunction that led on to what followed it."""
    text = _TRAILING.sub("", text)
    text = _TRAILING_CONJUNCTION.sub("", text)
    return _TRAILING.sub("", text).strip()
