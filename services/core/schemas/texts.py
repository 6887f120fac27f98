"""What of a record is searched: texts by field, and the language of each where it is known.

The search index holds these texts, and saved searches are matched against them: so a query means the same in a search,
in the feed and in a webhook.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from services.core.schemas.shapes import Shape
from services.core.store.paragraphs import ParagraphRecord
from services.core.store.reference import Reference

SEARCHED_NOUNS = ("recommendations", "statements", "hearings", "documents", "pledges", "observations")
"""Nouns whose records are searched."""
PARTED_NOUNS = ("documents",)
"""Nouns whose records have paragraphs: each is searched by itself, beside the texts of its record."""
TEXT_FIELDS = ("text", "labels", "names", "numbers")
"""Fields that texts stand in, in order of weight. Labels and names are `names`, the others `lines`."""
_REMEMBERED = 50_000
"""Of labels and States that records bear together, the names."""


class Texts(NamedTuple):
    """The searched texts of a record or of a paragraph, by field, and their languages where these are known."""

    texts: dict[str, str]
    languages: dict[str, str]


class SearchedTexts:
    """Finds the searched texts of shapes, with the names of one reference."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._known: dict[tuple[str, tuple[str, ...]], str] = {}

    def of_record(self, noun: str, shape: Shape) -> Texts:
        """The texts of a record. Labels and States stand there by their names in all languages.

        The shape may be one that an earlier version kept in the feed: members may be missing.
        """
        texts = {
            "text": _text(noun, shape),
            "labels": self._names("labels", [label["id"] for label in shape.get("labels", ())]),
            "names": self._names("names", _codes(shape)),
            "numbers": _numbers(noun, shape),
        }
        return Texts(texts, _languages(shape))

    def _names(self, field: str, ids: Iterable[str]) -> str:
        """The names of labels or of States: many records bear the same ones together."""
        key = (field, tuple(ids))
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            name = self._names_of_label if field == "labels" else self._names_of_state
            known = self._known[key] = names(dict.fromkeys(map(name, key[1])))
        return known

    def _names_of_state(self, code: str) -> str:
        """The names of a State, a line a language; its code where it is not known."""
        state = self._reference.states.get(code)
        return lines(*dict.fromkeys(state.names.values())) if state else code

    def _names_of_label(self, label_id: str) -> str:
        label = self._reference.labels.get(label_id)
        return lines(*dict.fromkeys(label.names.values())) if label else ""


def texts_of_paragraph(paragraph: ParagraphRecord) -> Texts:
    """The texts of a paragraph: its own, the heading above it and the numbers that it cites, as they are printed.

    Which recommendations the numbers mean changes without a change of the document (ADR 0006).
    """
    return Texts(
        {"text": paragraph.text, "labels": paragraph.heading or "", "numbers": lines(*printed_citations(paragraph))},
        {"text": paragraph.language, "labels": paragraph.language},
    )


def printed_citations(paragraph: ParagraphRecord) -> list[str]:
    """The numbers that a paragraph cites, as printed, each once."""
    return list(dict.fromkeys(citation["printed"] for citation in paragraph.citations))


def lines(*texts: str | None) -> str:
    """Texts that phrases do not cross."""
    return "\n".join(filter(None, texts))


def names(several: Iterable[str]) -> str:
    """Names, each in several languages: a line a wording, an empty line between names."""
    return "\n\n".join(filter(None, several))


def _text(noun: str, shape: Shape) -> str:
    match noun:
        case "hearings":
            told = dict.fromkeys((shape.get("title"), *shape.get("titles", {}).values()))
            requested = (each["name"] for each in shape.get("requesting_organisations", ()))
            summaries = shape.get("summaries", {}).values()
            return lines(*told, (shape.get("kind") or "").replace("_", " "), *requested, *summaries)
        case "documents":
            return lines(shape.get("title"), (shape.get("kind") or "").replace("_", " "))
        case "recommendations":
            return lines(shape.get("text"), *shape.get("translations", {}).values())
        case "statements":
            return lines(shape.get("text"), shape.get("original_text"))
        case _:
            return lines(shape.get("text"))


def _languages(shape: Shape) -> dict[str, str]:
    """The language of the text. With other texts beside it the text has several: each line's is then guessed."""
    language: str | None = shape.get("text_language")
    several = shape.get("translations") or shape.get("original_text")
    return {} if language is None or several else {"text": language}


def _codes(shape: Shape) -> Iterator[str]:
    """All States that the record names, and the printed names of groups and organisations that speak."""
    if shape.get("state_under_review"):
        yield shape["state_under_review"]["code"]
    if shape.get("speaker"):
        yield shape["speaker"]["code" if shape.get("speaker_kind") == "state" else "name"]
    for member in ("recommending_states", "states", "troika"):
        yield from (state["code"] for state in shape.get(member, ()))
    yield from shape.get("on_behalf_of", ())


def _numbers(noun: str, shape: Shape) -> str:
    """What people cite the record by: its id, its printed number, symbols. Most ids end in the number."""
    number: str | None = shape.get("number")
    if number and shape["id"].endswith(f"-{number}"):
        number = None
    cited: list[Any] = [shape["id"], number, shape.get("symbol"), *shape.get("aliases", ())]
    if noun == "recommendations":
        cited += dict.fromkeys(source["symbol"] for source in shape.get("sources", ()))
    return lines(*cited)
