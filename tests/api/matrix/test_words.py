"""The words of matrices are whole in every language, and every theme has its place."""

import datetime
import string

from services.api.matrix.words import Words, label_places, terms
from services.core.domain.documents import OF_NO_REVIEW, DocumentKind
from services.core.domain.positions import Position, PositionDetail
from services.core.schemas.names import LANGUAGES
from services.core.store.vocabularies import vocabulary


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_term_is_there_in_every_language_with_the_same_blanks() -> None:
    for term, words in terms().items():
        assert tuple(words) == LANGUAGES, term
        assert len({frozenset(fields(text)) for text in words.values()}) == 1, term


def test_every_kind_position_and_detail_has_words() -> None:
    words = Words("fr")
    assert all(words.has(f"kind.{kind}") for kind in set(DocumentKind) - OF_NO_REVIEW)
    assert all(words.has(f"position.{position}") for position in Position)
    assert all(words.has(f"detail.{detail}") for detail in PositionDetail)


def test_every_theme_and_issue_has_one_place() -> None:
    headed = [label for label in vocabulary() if label.startswith(("ohchr-theme:", "upr-info-issue:"))]
    assert sorted(label_places()) == sorted(headed)


def test_days_and_languages() -> None:
    words = Words("es")
    assert words.day(datetime.date(2026, 11, 21)) == "21 de noviembre de 2026"
    assert (words.language_name("fr"), words.language_name("xx-unknown")) == ("francés", "xx-unknown")
