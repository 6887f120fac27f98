"""The vocabularies that records are labelled with, read from the tables of `facts/vocabularies`.

An entry's id is `{scheme}:{code}`. Documents print the same entry in several ways and, over the years, several entries
for the same idea: the first are aliases, the second a crosswalk from older entries to newer ones.
"""

import csv
import io
import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from services.core.domain.identifiers import label_id

_LANGUAGES = ("en", "es", "fr", "pt")
_FOLDER = files("services.core.store") / "facts"
_TABLES = {
    "upr-info-issue": "vocabularies/upr_info_issues.csv",
    "action": "vocabularies/actions.csv",
    "ohchr-theme": "vocabularies/ohchr_themes.csv",
    "group": "vocabularies/groups.csv",
    "sdg": "sdg.csv",
    "sdg-target": "vocabularies/sdg_targets.csv",
}
_DETAILED = {
    "instrument": "vocabularies/instruments.toml",
    "topic": "vocabularies/topics.toml",
    "addressee": "vocabularies/addressees.toml",
}
_CROSSWALKS = {
    "ohchr-theme": "vocabularies/ohchr_theme_crosswalk.csv",
    "group": "vocabularies/group_crosswalk.csv",
}


@dataclass(frozen=True, slots=True)
class VocabularyEntry:
    """One entry of a vocabulary.

    `names` by language; `printed_codes` are codes that documents print beside it (`A12`); `aliases` other spellings.
    """

    scheme: str
    code: str
    names: Mapping[str, str]
    printed_codes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """`{scheme}:{code}`."""
        return label_id(self.scheme, self.code)


@cache
def vocabulary() -> Mapping[str, VocabularyEntry]:
    """All entries by id."""
    entries = [*_of_tables(), *_of_details()]
    return {entry.id: entry for entry in entries}


def detailed_vocabulary(scheme: str) -> Mapping[str, Mapping[str, Any]]:
    """The table of a scheme whose entries come with the phrases that tell of them (instrument, topic, addressee).

    Raises `KeyError` for another scheme.
    """
    return _details(_DETAILED[scheme])


def find_entry(scheme: str, printed: str, printed_code: str | None = None) -> VocabularyEntry | None:
    """The entry that a document prints so, in any language and spelling known; by its code where the words are unknown.

    None where neither is known.
    """
    by_words, by_code = _index()
    found = by_words.get((scheme, _letters(printed)))
    if found is None and printed_code:
        found = by_code.get((scheme, printed_code.strip().rstrip(".").upper()))
    return found


@cache
def label_family(label: str) -> frozenset[str]:
    """The ids of all entries that stand for what this one does: itself, what became it, and what it became.

    A filter on one label finds the records of all. It follows the crosswalk back and forth, but not sideways: of two
    older labels that became one, neither finds the other's records. `label` is an id, known or not.
    """
    return frozenset({label, *older_labels(label), *newer_labels(label)})


def older_labels(label: str) -> frozenset[str]:
    """The ids of all entries that became this one."""
    older: dict[str, set[str]] = defaultdict(set)
    for before, after in _crosswalk(label.partition(":")[0]):
        older[after].add(before)
    return frozenset(_reached(label, older))


def newer_labels(label: str) -> frozenset[str]:
    """The ids of all entries that this one became."""
    newer: dict[str, set[str]] = defaultdict(set)
    for before, after in _crosswalk(label.partition(":")[0]):
        newer[before].add(after)
    return frozenset(_reached(label, newer))


@cache
def label_families() -> Mapping[str, frozenset[str]]:
    """The codes of each label's family, by the label's id, for all labels that have a family beyond themselves."""
    families = {label: label_family(label) for label in vocabulary()}
    return {
        label: frozenset(each.partition(":")[2] for each in family)
        for label, family in families.items()
        if len(family) > 1
    }


def _reached(start: str, steps: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = steps.get(waiting.pop(), set()) - reached
        reached |= new
        waiting.extend(new)
    return reached


@cache
def _crosswalk(scheme: str) -> tuple[tuple[str, str], ...]:
    table = _CROSSWALKS.get(scheme)
    rows = _rows(table) if table else ()
    return tuple((label_id(scheme, row["older"]), label_id(scheme, row["newer"])) for row in rows)


@cache
def _index() -> tuple[dict[tuple[str, str], VocabularyEntry], dict[tuple[str, str], VocabularyEntry]]:
    by_words: dict[tuple[str, str], VocabularyEntry] = {}
    by_code: dict[tuple[str, str], VocabularyEntry] = {}
    for entry in vocabulary().values():
        for words in (entry.names.get("en", entry.code), entry.code):
            by_words.setdefault((entry.scheme, _letters(words)), entry)
        for code in entry.printed_codes:
            by_code.setdefault((entry.scheme, code), entry)
    for entry in vocabulary().values():
        # Names of other languages and aliases give way to another entry's own name.
        for words in (*entry.aliases, *entry.names.values()):
            by_words.setdefault((entry.scheme, _letters(words)), entry)
    return by_words, by_code


def _letters(words: str) -> str:
    """What is the same in all spellings: letters and digits, "&" as "and"."""
    plain = unicodedata.normalize("NFKD", words.replace("&", " and ")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "", plain)


def _of_tables() -> Iterator[VocabularyEntry]:
    for scheme, table in _TABLES.items():
        for row in _rows(table):
            yield VocabularyEntry(
                scheme,
                row["code"],
                {language: row[language] for language in _LANGUAGES if row.get(language)},
                tuple(row.get("printed_codes", "").split()),
                tuple(alias for alias in row.get("aliases", "").split(";") if alias),
            )


def _of_details() -> Iterator[VocabularyEntry]:
    for scheme, table in _DETAILED.items():
        for code, entry in _details(table).items():
            yield VocabularyEntry(scheme, code, entry["names"])


@cache
def _details(table: str) -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads((_FOLDER / table).read_text(encoding="utf-8"))


def _rows(table: str) -> list[dict[str, str]]:
    text = (_FOLDER / table).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))
