"""One printed number may hold several recommendations, each with its own States: they are told apart here.

Three ways of writing occur:

- sentences one after another, each with its States: "Ratify CAT (Chile); consider a moratorium (Italy)";
- one sentence in which every State stands behind each stretch of words that is its own, with or without strokes:
  "Ratify the Covenant (Peru, Poland)/as soon as possible (Poland)": what Poland said is both stretches;
- verbs that share an object: "Accede to (France)/Consider ratifying (Slovenia) the Optional Protocol".
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from services.ingest.normalise.attributions import Attribution, find_attributions

_BETWEEN = re.compile(r"^[\s;,.&/*:)\]]*(?:and\b)?[\s;,.&/*:(\[]*$")
_LEADING = re.compile(r"^(?:[\s;,.:/*&)\]]|(?:-|–)\s)+")
_TRAILING = re.compile(r"(?:[\s;,:/*&(\[]|\s[-–])+$")
_CONJUNCTION = re.compile(r"^((?:and|as well as|or|and/or)\b(?:\s+also\b)?),?\s+", re.IGNORECASE)
_TRAILING_CONJUNCTION = re.compile(r"[\s,;]+(?:and|or)$")
_SUB_ITEM = re.compile(r"^\(?(?:[a-z]|[ivx]{1,4})\)\s+")
_RESTART = re.compile(
    r"(?=(?:;|\.)\s+(?:and\s+)?(?:It |it )?(?:also |further )?"
    r"(?:recommend(?:s|ed)|encourage[sd]|expresse[sd] support)\b)"
)
"""The same States begin another recommendation inside one number (2008)."""

_REPORTED = re.compile(r"^[;.]\s+(?:and\s+)?(?:It |it )?(?:also |further )?recommend(?:s|ed)\s+(?:that\s+)?")
_INFINITIVE_RESTART = re.compile(r"(?=\.\s+To\s+[a-z])")
"""So do infinitives after a full stop ("To adopt …. To address …")."""

_TAIL = re.compile(
    r"^(?:including|especially|particularly|in|with|within|without|by|for|through|as (?!well)|aiming|where|which|who"
    r"|whose|while|so (?:that|as)|such as|at|on|of|from|among|until|under|towards?|between|during|after|before|if|when"
    r"|inter alia|along|against|thereby|notably|also (?:in|by|for|through)|not only|via|throughout|across|over|based"
    r"|pursuant|prior|according(?: to)?|following)\b"
)
_OPENS_SENTENCE = re.compile(r"^(?:to |also |further |not |that\b|it\b|there\b|[\w-]+ly )")
_CLAUSE_AFTER = re.compile(r",\s+[a-z]")
_NOUN = re.compile(r"^(?:the|its|a|an|all|other|international|[A-Z]{2,}[A-Z0-9-]*)\b(?!\s+(?:Government|State)\b)")
_BESIDE_VERBS = frozenset(
    ("to", "and", "or", "also", "further", "early", "should", "the", "possibility", "of", "steps")
)
"""What may stand between verbs that lack their object ("Consider the possibility of signing and/or ratifying")."""

_PARTY = re.compile(r"\b(?:a |State )?part(?:y|ies)(?: to)?$", re.IGNORECASE)
_OPEN_END = re.compile(
    r"\b(?:to|of|on|with|in|for|by|at|from|towards|the|its|a|into|ratification|accession|signature)$", re.IGNORECASE
)
_NEEDS_TO = re.compile(r"\b(?:accede|acceding|adhere|adhering|subscribe|subscribing|party|accession)$", re.IGNORECASE)
_EFFORTS = re.compile(r"\b(?:efforts|measures|steps|in order)$|\bto$", re.IGNORECASE)
_OBJECT = re.compile(r"(?<=\s)(?:(?:the|its|a|an|all|any|other|every|those|these)\b|[A-Z][\w-]*|\d{4}\b)")
_GERUND_HEAD = re.compile(r"^(?:[\w-]+ ){0,4}?\w+ing\s+")
_TREATY_HEAD = re.compile(
    r"^(?:to |that [\w’ ]{2,40}? )?(?:[\w-]+(?:,)? ){0,9}?"
    r"(?:ratif(?:y|ying)|ratification of|acced(?:e|ing) to|accession to|sign(?:ing)?|adher(?:e|ing) to|"
    r"becom(?:e|ing) (?:a )?(?:State )?part(?:y|ies) to|join(?:ing)?|withdraw(?:ing)?|lift(?:ing)?)\b",
    re.IGNORECASE,
)
_HAS_WORD = re.compile(r"[^\W\d_]{2}")
_LONGEST_VERB_PHRASE = 9
_MOST_SEGMENTS = 60
"""A bound on the work that one sentence can make; the longest seen has 17 stretches."""


@dataclass(frozen=True, slots=True)
class Part:
    """One recommendation inside an entry: its words, and the States that made it."""

    text: str
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The recommendations of one entry. `comment` is what follows them and belongs to none."""

    parts: tuple[Part, ...]
    comment: str = ""


@dataclass(slots=True)
class _Segment:
    """A stretch of words before one attribution (or several in a row). `before` is the punctuation in front of it."""

    before: str
    conjunction: str
    words: str
    states: tuple[str, ...]

    @property
    def stroke(self) -> bool:
        return "/" in self.before

    @property
    def tail(self) -> bool:
        """Whether the words can only follow others ("as soon as possible")."""
        return bool(_TAIL.match(self.words))

    @property
    def noun(self) -> bool:
        """Whether the words lack a verb ("the Optional Protocol to CAT")."""
        if self.words[:1].isupper() or not self.words:
            return bool(_NOUN.match(self.words))
        return not self.tail and not self.verb

    @property
    def verb(self) -> bool:
        """Whether the words open with a verb, as a recommendation of its own does."""
        return opens_with_verb(self.words)

    @property
    def verb_only(self) -> bool:
        """Whether the words lack an object ("Consider ratifying", "Become a party to")."""
        return lacks_object(self.words)


def opens_with_verb(text: str) -> bool:
    """Whether `text` begins with a verb, or with "that" and a sentence, as recommendations do."""
    words = text.lower()
    while (opening := _OPENS_SENTENCE.match(words)) is not None:
        if opening[0] in ("that", "it", "there"):
            return True
        words = words[opening.end() :]
    first = re.match(r"[\w-]*", words)
    return first is not None and (first[0] in _imperatives() or first[0].endswith("ing"))


def lacks_object(text: str) -> bool:
    """Whether `text` is a verb that still needs its object ("Consider ratifying", "Become a party to")."""
    words = text.lower().replace("/", " ").split()
    if not words or len(words) > _LONGEST_VERB_PHRASE:
        return False
    if _PARTY.search(text) or _OPEN_END.search(text):
        return True
    verbs = _imperatives()
    return all(word in verbs or word in _BESIDE_VERBS or word.endswith(("ing", "ly")) for word in words)


@cache
def _imperatives() -> frozenset[str]:
    text = (files("services.ingest.normalise.lookups") / "imperatives.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def split_entry(text: str) -> Split:
    """Split an entry (number and footnote marks taken off) at its attributions.

    Words after the last attribution that begin in lower case are the shared end of the sentence before them; a new
    sentence there is a comment.
    """
    runs = _runs(text, find_attributions(text))
    if not runs:
        return Split((Part(_tidy(_bare(text)[2]), ()),))
    segments, at = list[_Segment](), 0
    for run in runs:
        segments += [_segment(words, run.states) for words in _restarts(text[at : run.start])]
        at = run.end
    end, comment = _end(text[at:], segments[-1])
    clusters = list(_clusters(segments))
    parts = [part for cluster in clusters for part in _parts(cluster, end if cluster is clusters[-1] else "")]
    return Split(tuple(parts), comment)


def _restarts(words: str) -> list[str]:
    """A stretch cut where the same States begin another recommendation."""
    infinitive = _bare(words)[2].startswith(("To ", "to "))
    pieces = (_INFINITIVE_RESTART if infinitive else _RESTART).split(words)
    return [_REPORTED.sub(". ", piece) for piece in pieces if _HAS_WORD.search(piece)]


def _runs(text: str, attributions: Sequence[Attribution]) -> list[Attribution]:
    """Neighbouring attributions, `(France) (Lithuania)`, taken as one."""
    runs: list[Attribution] = []
    for found in attributions:
        if runs and _BETWEEN.match(text[runs[-1].end : found.start]):
            states = tuple(dict.fromkeys(runs[-1].states + found.states))
            runs[-1] = Attribution(runs[-1].start, found.end, states)
        elif _HAS_WORD.search(text[runs[-1].end if runs else 0 : found.start]):
            runs.append(found)
    return runs


def _segment(text: str, states: tuple[str, ...]) -> _Segment:
    before, conjunction, words = _bare(text)
    return _Segment(before, conjunction, _tidy(words), states)


def _bare(text: str) -> tuple[str, str, str]:
    leading = _LEADING.match(text)
    before = leading[0] if leading else ""
    words = _SUB_ITEM.sub("", text[len(before) :])
    joined = _CONJUNCTION.match(words)
    conjunction = joined[1] if joined else ""
    words = words[joined.end() :] if joined else words
    return before, conjunction, _SUB_ITEM.sub("", words)


def _end(text: str, last: _Segment) -> tuple[str, str]:
    """What follows the last attribution: the shared end of its sentence, or a comment."""
    before, conjunction, words = _bare(text)
    words = _tidy(words)
    if not _HAS_WORD.search(words):
        return "", ""
    continues = "." not in before and ";" not in before
    if words[0].islower() or conjunction or (continues and last.verb_only):
        joint = ", " if "," in before else " "
        return f"{joint}{conjunction} {words}" if conjunction else f"{joint}{words}", ""
    return "", words


def _clusters(segments: Sequence[_Segment]) -> Iterator[list[_Segment]]:
    """Segments of one sentence. A semicolon, a full stop or a capital (but not after a stroke) begins another."""
    cluster = [segments[0]]
    for segment in segments[1:]:
        apart = ";" in segment.before or "." in segment.before
        capital = segment.words[:1].isupper() and not segment.noun and not segment.conjunction
        if (
            len(cluster) == _MOST_SEGMENTS
            or (apart and not _belongs(segment, cluster))
            or (capital and not segment.stroke)
        ):
            yield cluster
            cluster = [segment]
        else:
            cluster.append(segment)
    yield cluster


def _belongs(segment: _Segment, cluster: list[_Segment]) -> bool:
    """Whether a segment after a semicolon still hangs on the sentence before ("Ratify CAT (Chile); CEDAW (Peru)")."""
    if segment.tail:
        return not _CLAUSE_AFTER.search(segment.words)
    return segment.noun and any(_TREATY_HEAD.match(earlier.words) for earlier in cluster)


def _parts(cluster: list[_Segment], end: str) -> Iterator[Part]:
    """The recommendations of one sentence: what each State said, States that said the same together."""
    said: dict[str, list[str]] = {}
    for state in dict.fromkeys(state for segment in cluster for state in segment.states):
        for text in _said_by(state, cluster, end):
            said.setdefault(text, []).append(state)
    for text, states in said.items():
        yield Part(text, tuple(dict.fromkeys(states)))


def _said_by(state: str, cluster: list[_Segment], end: str) -> list[str]:
    """The recommendations of one State in a sentence: its stretches joined, what they lack taken from the others."""
    own = [place for place, segment in enumerate(cluster) if state in segment.states]
    texts: list[str] = []
    for order, place in enumerate(own):
        segment = cluster[place]
        following = cluster[own[order + 1]] if order + 1 < len(own) else None
        words = _with_object(cluster, place, following, end)
        if not texts or _independent(segment, cluster[own[order - 1]]):
            texts.append(_with_head(cluster, place, words, end))
        else:
            texts[-1] = _joined(texts[-1], segment, words)
    if end and own[-1] == len(cluster) - 1 and not texts[-1].endswith(end.strip()):
        texts[-1] += end
    return [_tidy(text) for text in texts]


def _independent(segment: _Segment, own_before: _Segment) -> bool:
    """Whether a State's further stretch is another recommendation, not more words of the one before."""
    if segment.tail or own_before.verb_only:
        return False
    if segment.noun:
        return False
    if segment.stroke:
        return segment.words[:1].isupper() and not segment.conjunction
    return not (segment.conjunction and not segment.before.strip())


def _joined(text: str, segment: _Segment, words: str) -> str:
    conjunction = f" {segment.conjunction}" if segment.conjunction else ""
    comma = "," if "," in segment.before or ";" in segment.before else ""
    return f"{text}{comma}{conjunction} {words}"


def _with_object(cluster: list[_Segment], place: int, following: _Segment | None, end: str) -> str:
    """A stretch that lacks its object, with the object of the next stretch that has one."""
    segment = cluster[place]
    continued = following and not (following.tail or following.conjunction or (following.stroke and following.verb))
    if not segment.verb_only or continued:
        return segment.words
    for later in (*reversed(cluster[:place]), *cluster[place + 1 :]):
        if later.verb_only or later.tail or (later.stroke and later.conjunction):
            continue
        if _EFFORTS.search(segment.words):
            infinitive = later.words.removeprefix("to ")
            to = "" if segment.words.lower().endswith(" to") else "to "
            return f"{segment.words} {to}{infinitive[:1].lower()}{infinitive[1:]}"
        named = (later.words if later.noun else _object_of(later.words)).split("/")[0].strip()
        return _verb_and_object(segment.words, named) if named else segment.words
    return segment.words + end if end and not segment.words.endswith(end.strip()) else segment.words


def _verb_and_object(verb: str, named: str) -> str:
    return f"{verb} to {named}" if _NEEDS_TO.search(verb) else f"{verb} {named}"


def _object_of(words: str) -> str:
    """The object of a complete stretch: "the OP-CAT" of "Ratify the OP-CAT"."""
    if gerund := _GERUND_HEAD.match(words):
        return words[gerund.end() :]
    found = _OBJECT.search(words)
    return words[found.start() :] if found else ""


def _with_head(cluster: list[_Segment], place: int, words: str, end: str) -> str:
    """A State's first stretch: where it cannot open a sentence, with what went before it."""
    segment = cluster[place]
    earlier = cluster[:place]
    if not earlier or not (segment.tail or segment.noun):
        return words
    if segment.tail:
        main = next((back for back in range(place - 1, -1, -1) if not cluster[back].tail), 0)
        base = _with_head(cluster, main, _with_object(cluster, main, None, end), end)
        return _joined(base, segment, words)
    for before in reversed(earlier):
        if before.verb_only:
            return _verb_and_object(before.words, words)
        if head := _TREATY_HEAD.match(before.words):
            return f"{head[0]} {words}"
    if not segment.words[:1].islower() or segment.stroke or ";" in segment.before:
        return words
    return _joined(_with_head(cluster, place - 1, cluster[place - 1].words, end), segment, words)


def _tidy(text: str) -> str:
    text = _TRAILING.sub("", text)
    text = _TRAILING_CONJUNCTION.sub("", text)
    return _TRAILING.sub("", text).strip()
