"""Public ids of records (DESIGN §2: they are fixed, and never reused)."""

import hashlib
import re
import unicodedata
from functools import lru_cache


def review_id(state: str, cycle: int) -> str:
    """`PER-2`: the State's ISO 3166 alpha-3 code and the cycle."""
    return f"{state}-{cycle}"


def recommendation_id(review: str, number: str, part: str | None = None, duplicate: int = 1) -> str:
    """`PER-2-116.17`, with a part `ECU-2-134.1-a`, for the second holder of a misprinted number `….dup2`."""
    numbered = f"{review}-{number}" + (f"-{part}" if part else "")
    return numbered if duplicate == 1 else f"{numbered}.dup{duplicate}"


def unnumbered_recommendation_id(review: str, text: str) -> str:
    """`PER-2~` and 10 hex digits of the normalised text, for a recommendation without a final number."""
    return f"{review}~{_digest(normalised_text(text), 10)}"


def pledge_id(review: str, ordinal: int) -> str:
    """`PER-2-pledge-3`."""
    return f"{review}-pledge-{ordinal}"


def document_id(symbol: str | None, sha256: str) -> str:
    """`A-HRC-22-15` from a symbol; `doc-` and 12 hex digits of the content's SHA-256 without one."""
    if symbol:
        return re.sub(r"[^A-Za-z0-9.]+", "-", symbol).strip("-")
    return f"doc-{sha256[:12]}"


def review_hearing_id(session: int, state: str) -> str:
    """`upr-14-PER`: the State's review in the Working Group."""
    return f"upr-{session}-{state}"


def adoption_hearing_id(council_session: int, state: str) -> str:
    """`hrc-22-PER`: the adoption of the outcome of the State's review by the Human Rights Council."""
    return f"hrc-{council_session}-{state}"


def debate_hearing_id(council_session: int, item: int) -> str:
    """`hrc-28-item6`: a general debate of the Human Rights Council."""
    return f"hrc-{council_session}-item{item}"


def iachr_hearing_id(period: int, number: int) -> str:
    """`iachr-191-3774`: a public hearing of the Inter-American Commission, by period of sessions and number."""
    return f"iachr-{period}-{number}"


def unnumbered_iachr_hearing_id(period: int, title: str) -> str:
    """`iachr-191~` and 10 hex digits of the normalised title, for a hearing whose number is not known."""
    return f"iachr-{period}~{_digest(normalised_text(title), 10)}"


def statement_id(hearing: str, speaker: str, kind: str, ordinal: int) -> str:
    """`upr-14-PER.ESP.dialogue.1`."""
    return f"{hearing}.{speaker}.{kind}.{ordinal}"


def label_id(scheme: str, code: str) -> str:
    """`sdg:16`."""
    return f"{scheme}:{code}"


def slug(name: str) -> str:
    """A readable code of a name: lower-case ASCII words joined by dashes. What no real name reaches is cut short."""
    ascii_name = unicodedata.normalize("NFKD", name.replace("&", " and ")).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")
    return readable if len(readable) <= _LONGEST_SLUG else f"{readable[:_LONGEST_SLUG]}-{_digest(name, 10)}"


_LONGEST_SLUG = 250


_APOSTROPHES = frozenset(
    "'`\u00b4\u2018\u2019\u201a\u201b\u2032\u2035\uff07\u1fef\u1ffd\ua78b\ua78c\u05f3"
    "\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb"
)
"""Signs that are set for an apostrophe. They are dropped: PDFs set them apart from the word they stand in."""

_NO_WIDTH = frozenset({"Mn", "Me", "Cf"})
"""Unicode's categories of accents and of signs that are not seen: soft hyphens, joiners, marks of direction."""

_OFTEN = 0xFFFF


class _Folds(dict[int, str]):
    """For `str.translate`: what each character is when folded, worked out when it is first met. Rare ones anew."""

    def __missing__(self, code: int) -> str:
        if chr(code) in _APOSTROPHES:
            return ""
        plain = unicodedata.normalize("NFKD", chr(code)).casefold()
        folded = "".join(
            each for each in plain if each not in _APOSTROPHES and unicodedata.category(each) not in _NO_WIDTH
        )
        if code <= _OFTEN:
            self[code] = folded
        return folded


_FOLDS = _Folds()
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4096)
def normalised_text(text: str) -> str:
    """Letters and digits only, folded: what stays the same when a text is printed twice.

    Case, accents, ligatures and the signs between words do not matter, nor which sign is set for an apostrophe, a quote
    or a dash, nor what is not seen. Letters of other scripts are kept. Folding a folded text changes nothing.
    Kept for a while: merging a review asks for each of its texts several times.
    """
    plain = text.replace("'", "").replace("`", "").lower() if text.isascii() else text.translate(_FOLDS)
    return " ".join(_WORD.findall(plain))


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:digits]


def sort_key(record_id: str) -> str:
    """An id with zero-padded numbers: byte order is then the order people count in, `…-116.9` before `…-116.17`."""
    return re.sub(r"\d+", lambda number: number[0].zfill(6), record_id)
