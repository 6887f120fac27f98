"""What each State said in a sentence that several share: its own stretches, and what they lack from the others'.

"Accede to (France)/Consider ratifying (Slovenia) the Optional Protocol": both verbs have the same object. "Protect
children (Chile), especially in camps (Peru)": what Peru said has no verb of its own.
"""

import re
from collections.abc import Sequence

from services.ingest.parsers.working_group_report.segments import Segment, imperatives, tidy

_NEEDS_TO = re.compile(r"\b(?:accede|acceding|adhere|adhering|subscribe|subscribing|party|accession)$", re.IGNORECASE)
_EFFORTS = re.compile(r"\b(?:efforts|measures|steps|in order)$|\bto$", re.IGNORECASE)
_OBJECT = re.compile(r"(?<=\s)(?:(?:the|its|a|an|all|any|other|every|those|these)\b|[A-Z][\w-]*|\d{4}\b)")
_IN_TIME = re.compile(r"\b(?:at|as|within|during|by)\s$")
_GERUND_HEAD = re.compile(r"^(?:[\w-]+ ){0,4}?\w+ing\s+")
_GERUND = re.compile(r"^[a-z]+ing\s")
_SHARED_VERB = re.compile(
    r"^(?P<head>(?:to )?(?:continue|(?:consider|start|begin|keep|envisage)(?=\s+(?:[a-z]+ly )?(?:to |[a-z]+ing\b))))"
    r"\s+(?:[a-z]+ly )?(?P<to>to )?[a-z]",
    re.IGNORECASE,
)
_TAKES_GERUND = re.compile(r"\b(?:consider|envisage|contemplate)$", re.IGNORECASE)
_TREATY_HEAD = re.compile(
    r"^(?:to |that [\w’ ]{2,40}? )?(?:[\w-]+(?:,)? ){0,9}?"
    r"(?:ratif(?:y|ying)|ratification of|acced(?:e|ing) to|accession to|sign(?:ing)?|adher(?:e|ing) to|"
    r"becom(?:e|ing) (?:a )?(?:State )?part(?:y|ies) to|join(?:ing)?|withdraw(?:ing)?|lift(?:ing)?)\b",
    re.IGNORECASE,
)
_TREATY_VERB = re.compile(
    r"\b(?:ratif(?:y|ying)|acced(?:e|ing) to|sign(?:ing)?|adher(?:e|ing) to|join(?:ing)?"
    r"|(?:ratification|accession) (?:of|to))\s+(?=(?:the|its|all|other)\b|[A-Z])"
)
_OF_TREATIES = re.compile(r"\b(?:ratif|acced|adher|sign\b|signing\b)", re.IGNORECASE)
_OWN_TO_OTHERS = re.compile(
    r",?\s+(?:including|in particular|especially|particularly)\b.*$"
    r"|,?\s+(?:in order to|so as to|with a view to)\b.*$"
    r"|,\s+(?:allowing|ensuring)\b.*$"
    r"|,?\s+(?:and|as well as)\s+(?:to\s+)?(?:also\s+)?(?P<verb>[a-z-]+)\b.*$",
    re.DOTALL,
)
"""What a State adds to an object that others share ("…, and ensuring its implementation")."""

_LEADING_VERBS = re.compile(r"^(?:to )?[a-z-]+(?:(?:,| and| or|/)\s?[a-z-]+)?\s+(?=[a-z])", re.IGNORECASE)
_TREATY = re.compile(
    r"^(?:(?:all |both )?the )?(?:[A-Z0-9][\w’-]*,? (?:(?:of|on|and) )?){0,5}?"
    r"(?:Conventions?|Covenants?|Protocols?|Statute|[A-Z][A-Z-]{2,})\b"
)
_FORKS_AT = frozenset(("to", "for", "of"))
_FORKS_AT_TWO = frozenset(("the", "its", "their", "a", "an", "all", *_FORKS_AT))


def said_by(state: str, cluster: Sequence[Segment], end: str) -> list[str]:
    """The recommendations of one State in a sentence. `end` is the sentence's end after the last attribution."""
    own = [place for place, segment in enumerate(cluster) if state in segment.states]
    texts: list[str] = []
    for order, place in enumerate(own):
        segment = cluster[place]
        following = own[order + 1] if order + 1 < len(own) else None
        words = _with_object(cluster, place, following, end)
        if segment.restart:
            texts.append(words)
        elif not texts or _independent(cluster, place, own[order - 1]):
            texts.append(_with_head(cluster, place, words, following, end))
        else:
            texts[-1] = _joined(texts[-1], segment, words)
    if end and own[-1] == len(cluster) - 1 and not texts[-1].endswith(end.strip()):
        texts[-1] += end
    return [tidy(text) for text in texts]


def treaty_head(words: str) -> str | None:
    """The words before a treaty's name, where `words` begin so: "Consider ratifying" of "Consider ratifying CAT"."""
    found = _TREATY_HEAD.match(words)
    return found[0] if found else None


def _independent(cluster: Sequence[Segment], place: int, before: int) -> bool:
    """Whether a State's further stretch is another recommendation, not more words of the one before."""
    segment, own_before = cluster[place], cluster[before]
    elsewhere = any(between.main for between in cluster[before + 1 : place])
    if segment.tail:
        return segment.specifies and elsewhere
    if own_before.verb_only:
        return False
    if segment.noun:
        names_treaty = bool(_TREATY.match(segment.words)) and "thereto" not in segment.words
        return (elsewhere and names_treaty) or _is_another_end(cluster, place)
    if segment.stroke:
        return segment.words[:1].isupper() and not segment.conjunction
    return not (segment.conjunction and not segment.before.strip())


def _is_another_end(cluster: Sequence[Segment], place: int) -> bool:
    """Whether a stretch ends the sentence of the one before it another way ("… to prisons (Peru) to camps (Chile)")."""
    segment = cluster[place]
    if segment.before.strip() or segment.conjunction or segment.words.split(" ", 1)[0] not in _FORKS_AT:
        return False
    return _forked(cluster[place - 1].words, segment.words) is not None


def _joined(text: str, segment: Segment, words: str) -> str:
    conjunction = f" {segment.conjunction}" if segment.conjunction else ""
    comma = "," if "," in segment.before or ";" in segment.before else ""
    return f"{text}{comma}{conjunction} {words}"


def _with_object(cluster: Sequence[Segment], place: int, next_own: int | None, end: str) -> str:
    """A stretch that lacks its object, with the object of the nearest stretch that has one."""
    segment = cluster[place]
    if not segment.verb_only or _goes_on(cluster, place, next_own):
        return segment.words
    for later in (*reversed(cluster[:place]), *cluster[place + 1 :]):
        if later.verb_only or later.tail or (later.stroke and later.conjunction):
            continue
        if completed := _completed(segment, later):
            return completed
    return segment.words + end if end and not segment.words.endswith(end.strip()) else segment.words


def _goes_on(cluster: Sequence[Segment], place: int, next_own: int | None) -> bool:
    """Whether the State's own next stretch holds what this one lacks."""
    if next_own is None:
        return False
    following = cluster[next_own]
    if following.conjunction and following.verb and next_own == place + 1 and not following.stroke:
        return True
    return not (following.tail or following.conjunction or (following.stroke and following.verb))


def _completed(segment: Segment, later: Segment) -> str | None:
    """The verb of `segment` with the object of `later`; what the States of `later` add to it is theirs alone."""
    if _EFFORTS.search(segment.words):
        infinitive = later.words.removeprefix("to ")
        to = "" if segment.words.lower().endswith(" to") else "to "
        return f"{segment.words} {to}{infinitive[:1].lower()}{infinitive[1:]}"
    if _TAKES_GERUND.search(segment.words) and _GERUND.match(later.words):
        return f"{segment.words} {_shared(later.words, segment, later)}"
    named = later.words if later.noun else _object_of(later.words, segment.words)
    named = _shared(_last_alternative(named), segment, later)
    return _verb_and_object(segment.words, named) if named else None


def _shared(named: str, segment: Segment, later: Segment) -> str:
    if set(segment.states) <= set(later.states):
        return named
    for addition in _OWN_TO_OTHERS.finditer(named):
        verb = addition["verb"]
        if verb is None or verb in imperatives() or (verb.endswith("ing") and addition[0].startswith(",")):
            return named[: addition.start()]
    return named


def _last_alternative(named: str) -> str:
    """The object where nouns share it by a stroke: "the OP-CAT" of "the ratification/accession to the OP-CAT"."""
    named = named.split(";", maxsplit=1)[0]
    first, stroke, last = named.partition("/")
    if not stroke or first.endswith(" and"):
        return named
    found = _TREATY_VERB.search(last)
    return last[found.end() :] if found else first.strip()


def _verb_and_object(verb: str, named: str) -> str:
    return f"{verb} to {named}" if _NEEDS_TO.search(verb) else f"{verb} {named}"


def _object_of(words: str, verb: str) -> str:
    """The object of a complete stretch, for `verb`: "the OP-CAT" of "Ratify the OP-CAT"."""
    treaty = _TREATY_VERB.search(words) if _OF_TREATIES.search(verb) else None
    if treaty:
        return words[treaty.end() :]
    if gerund := _GERUND_HEAD.match(words):
        return words[gerund.end() :]
    found = next((each for each in _OBJECT.finditer(words) if not _IN_TIME.search(words[: each.start()])), None)
    leading = _LEADING_VERBS.match(words)
    if leading and found and found.start() > leading.end() and _begins_with_imperative(words):
        after = words[leading.end() :]
        return words[found.start() :] if _is_adverbial(after) else after
    return words[found.start() :] if found else ""


def _begins_with_imperative(words: str) -> bool:
    return words.lower().removeprefix("to ").split(" ", 1)[0] in imperatives()


def _is_adverbial(words: str) -> bool:
    """Whether `words` go on with something else than an object ("as soon as possible …", "ratifying the …")."""
    first = words.split(" ", 1)[0].lower()
    return Segment("", "", words, ()).tail or first in imperatives() or first.endswith(("ing", "ly")) or first == "to"


def _with_head(cluster: Sequence[Segment], place: int, words: str, following: int | None, end: str) -> str:
    """A State's first stretch: where it cannot open a sentence, with what went before it."""
    segment = cluster[place]
    if not place:
        return words
    if segment.tail:
        return _joined(_base_of_tail(cluster, place, following, end), segment, words)
    if segment.noun:
        return _with_head_of_noun(cluster, place, words, end)
    return _after_shared_verb(cluster[0], segment, words)


def _with_head_of_noun(cluster: Sequence[Segment], place: int, words: str, end: str) -> str:
    segment = cluster[place]
    for before in reversed(cluster[:place]):
        if before.verb_only:
            return _verb_and_object(before.words, words)
        if head := treaty_head(before.words):
            return _after_shared_verb(cluster[0], before, f"{head} {words}")
    apart = segment.stroke or (";" in segment.before and not segment.conjunction)
    forked = _forked(cluster[place - 1].words, words) if segment.words[:1].islower() else None
    if forked:
        return forked
    if apart or not segment.words[:1].islower():
        return words
    return _joined(_with_head(cluster, place - 1, cluster[place - 1].words, None, end), segment, words)


def _after_shared_verb(first: Segment, segment: Segment, words: str) -> str:
    """ "acceding to CEDAW" after "Consider ratifying CAT": the verb before both is "consider"."""
    shared = _SHARED_VERB.match(first.words)
    if shared is None or segment.stroke or segment.conjunction or ";" in segment.before:
        return words
    parallel = words.startswith("to ") if shared["to"] else bool(_GERUND.match(words))
    return f"{shared['head']} {words}" if parallel else words


def _base_of_tail(cluster: Sequence[Segment], place: int, following: int | None, end: str) -> str:
    """What a tail hangs on: the nearest stretch before it that is no tail."""
    main = next((back for back in range(place - 1, -1, -1) if not cluster[back].tail), 0)
    base = cluster[main]
    if base.verb_only and following is not None and cluster[following].noun:
        return base.words
    return _with_head(cluster, main, _with_object(cluster, main, None, end), None, end)


def _forked(before: str, words: str) -> str | None:
    """`before` up to the place where `words` begin as it goes on: "… on torture", "… on freedom of expression"."""
    first = words.split(" ", 2)
    openings = [" ".join(first[:2])] if len(first) > 1 and first[0] in _FORKS_AT_TWO else []
    if first[0] in _FORKS_AT:
        openings.append(first[0])
    for opening in openings:
        at = f" {before}".rfind(f" {opening} ")
        if at > 0:
            return f"{before[: at - 1]} {words}"
    return None
