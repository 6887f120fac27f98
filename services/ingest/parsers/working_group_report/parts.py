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

from services.ingest.normalise.attributions import Attribution, find_attributions
from services.ingest.parsers.working_group_report.completing import said_by, treaty_head
from services.ingest.parsers.working_group_report.segments import (
    Segment,
    bare,
    lacks_object,
    opens_with_verb,
    segment_of,
    tidy,
    without_addressee,
)

_BETWEEN = re.compile(r"^[\s;,.&/*:)\]]*(?:(?:and|y|e|et)\b)?[\s;,.&/*:(\[]*$")
_RESTART = re.compile(
    r"(?=(?:;|\.)\s+(?:and\s+)?(?:It |it )?(?:also |further )?"
    r"(?:recommend(?:s|ed)|encourage[sd]|expresse[sd] support)\b)"
)
"""The same States begin another recommendation inside one number (2008)."""

_REPORTED = re.compile(
    r"^[;.]\s+(?:and\s+)?(?:It |it )?(?:also |further )?(?:recommend(?:s|ed)|encourage[sd])\s+(?:that\s+)?"
)
_INFINITIVE_RESTART = re.compile(r"(?=\.\s+To\s+[a-z])")
"""So do infinitives after a full stop ("To adopt …. To address …")."""

_CLAUSE_AFTER = re.compile(r",\s+[a-z]")
_GERUND = re.compile(r"^[a-z]+ing\s")
_MAY_TAKE_GERUND = re.compile(
    r"^(?:to |by )?(?:[\w-]+ly )?(?:continue\b|(?:consider|start|begin|keep|envisage) [a-z]+ing\b|[\w-]+ing\b)",
    re.IGNORECASE,
)
_HAS_WORD = re.compile(r"[^\W\d_]{2}")
_VERBS_APART = re.compile(r"\s?/\s?")
_WORD_ALTERNATIVES = re.compile(
    r"(?<![\w/-])(?P<first>[A-Za-z][a-z-]{3,})\s?/\s?(?P<second>[a-z-]{4,})(?![\w/-])"
    r"(?=$|[,;]|\s+(?:to|the|of|on|in|and|or|for|by|with|over|from|into|at|as|a|an|its|their)\b)"
)
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


def split_entry(text: str, state_under_review: str | None = None) -> Split:
    """Split an entry (number and footnote marks taken off) at its attributions.

    Beside others, a parenthesis that names only the State under review attributes nothing: "as this [Peru] does".

    Words after the last attribution that begin in lower case are the shared end of the sentence before them; a new
    sentence there is a comment.
    """
    attributions = find_attributions(text)
    by_others = [found for found in attributions if found.states != (state_under_review,)]
    runs = _runs(text, by_others or attributions)
    if not runs:
        return Split((Part(without_addressee(tidy(bare(text)[2])), ()),))
    segments, at = list[Segment](), 0
    for run in runs:
        segments += _segments_of(text[at : run.start], run.states)
        at = run.end
    end, comment = _end(text[at:], segments[-1])
    _mark_followers(segments)
    clusters = _with_shared_tails(list(_clusters(segments)))
    parts = [part for cluster in clusters for part in _parts(cluster, end if cluster is clusters[-1] else "")]
    return Split(tuple(parts), comment)


def _restarts(words: str) -> list[str]:
    """A stretch cut where the same States begin another recommendation."""
    infinitive = bare(words)[2].startswith(("To ", "to "))
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


def _segments_of(text: str, states: tuple[str, ...]) -> Iterator[Segment]:
    """The stretches before one attribution: one, unless its States begin again or share alternatives out."""
    for place, words in enumerate(_restarts(text)):
        segment = segment_of(words, states, restart=place > 0)
        shared_out = _shared_out(segment)
        if shared_out:
            yield from shared_out
        else:
            yield segment


def _shared_out(segment: Segment) -> list[Segment]:
    """Alternatives with as many States, one each: "prevent/prohibit torture (Japan, Uzbekistan)" (2009)."""
    count = len(segment.states)
    if count < 2 or "/" not in segment.words:
        return []
    alternatives = _alternative_verbs(segment.words) or _alternative_words(segment.words)
    if len(alternatives) != count:
        return []
    return [
        Segment(segment.before if not place else "; ", segment.conjunction, words, (state,))
        for place, (words, state) in enumerate(zip(alternatives, segment.states, strict=True))
    ]


def _alternative_verbs(words: str) -> list[str]:
    """ "Consider ratifying CAT" and "ratify CAT" of "Consider ratifying/ratify CAT"."""
    *verbs, whole = _VERBS_APART.split(words)
    if not verbs or not all(lacks_object(verb) for verb in verbs) or not opens_with_verb(whole):
        return []
    head = treaty_head(whole)
    return [*(f"{verb}{whole[len(head) :]}" for verb in verbs), whole] if head else []


def _alternative_words(words: str) -> list[str]:
    """The two readings of a sentence in which every stroke stands between two single words."""
    if len(_WORD_ALTERNATIVES.findall(words)) != words.count("/"):
        return []
    return [_WORD_ALTERNATIVES.sub(rf"\g<{chosen}>", words) for chosen in ("first", "second")]


def _mark_followers(segments: Sequence[Segment]) -> None:
    """Mark stretches that go on though they open like a verb ("covering all crimes").

    Where the sentence begins with such a form, or with a verb that lacks it, they are parallel to it.
    """
    for place, segment in enumerate(segments[1:], 1):
        goes_on = segment.before.strip() in ("", ",") and not segment.conjunction and not segment.restart
        if goes_on and _GERUND.match(segment.words):
            before = segments[:place]
            segment.follows = not any(each.verb_only or _MAY_TAKE_GERUND.match(each.words) for each in before)


def _end(text: str, last: Segment) -> tuple[str, str]:
    """What follows the last attribution: the shared end of its sentence, or a comment."""
    before, conjunction, words = bare(text)
    words = tidy(words)
    if not _HAS_WORD.search(words):
        return "", ""
    continues = "." not in before and ";" not in before
    if words[0].islower() or conjunction or (continues and last.verb_only):
        joint = ", " if "," in before else " "
        return f"{joint}{conjunction} {words}" if conjunction else f"{joint}{words}", ""
    return "", words


def _clusters(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
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


def _with_shared_tails(clusters: list[list[Segment]]) -> list[list[Segment]]:
    """Clusters joined where one ends in a tail of a State that spoke only in the one before.

    "Build schools (Chile); train staff (Peru), in line with the law (Peru, Chile)": Chile's schools are meant too.
    """
    joined = [clusters[0]]
    for cluster in clusters[1:]:
        before = {state for segment in joined[-1] for state in segment.states}
        heard: set[str] = set()
        shared = False
        for segment in cluster:
            ends = segment.tail and not segment.stroke and not _CLAUSE_AFTER.search(segment.words)
            shared = shared or (ends and bool(before & set(segment.states) - heard))
            heard |= set(segment.states)
        if shared and len(joined[-1]) + len(cluster) <= _MOST_SEGMENTS:
            joined[-1] = joined[-1] + cluster
        else:
            joined.append(cluster)
    return joined


def _belongs(segment: Segment, cluster: list[Segment]) -> bool:
    """Whether a segment after a semicolon still hangs on the sentence before ("Ratify CAT (Chile); CEDAW (Peru)")."""
    if segment.tail:
        return segment.specifies or not _CLAUSE_AFTER.search(segment.words)
    continues = cluster[-1].verb_only or (segment.conjunction and segment.noun and "." not in segment.before)
    if segment.words[:1].islower() and continues and not segment.main:
        return True
    return segment.noun and any(treaty_head(earlier.words) for earlier in cluster)


def _parts(cluster: list[Segment], end: str) -> Iterator[Part]:
    """The recommendations of one sentence: what each State said, States that said the same together."""
    said: dict[str, list[str]] = {}
    for state in dict.fromkeys(state for segment in cluster for state in segment.states):
        for text in said_by(state, cluster, end):
            said.setdefault(text, []).append(state)
    for text, states in said.items():
        yield Part(without_addressee(text), tuple(dict.fromkeys(states)))
