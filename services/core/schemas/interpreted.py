"""The shape of `interpreted`, for the OpenAPI document: what was understood of a query (`core.query.tree` makes it)."""

from typing import Any, Literal, TypeAlias

from pydantic import Field

from services.core.schemas.models import Public


class ReadWord(Public):
    """A word of the index that was looked for in the place of what was typed."""

    word: str = Field(examples=["torture"])
    typos: int = Field(
        description="Typing errors that part it from what was typed, one in the first letter counted twice; 0 where "
        "what was typed is its beginning.",
        examples=[1],
    )


class ReadAs(Public):
    """What a word was read as, beside itself."""

    in_index: bool = Field(
        description="Whether the index holds the word just as it was typed. If so, its inflections and the forms under "
        "`also` are not among `words`: they are found in any case."
    )
    words: list[ReadWord] = Field(
        description="The likeliest first: with the fewest typing errors, then in the most records. At most 10."
    )
    more: bool = Field(description="Whether there are others.")


_ALSO: Any = Field(
    default=[],
    description="Other forms of the same, in all languages, that are found with it. Missing where there are none.",
    examples=[["OPCAT", "Protocolo Facultativo de la Convención contra la Tortura"]],
)


class AskedWord(Public):
    """A word asked for."""

    word: str = Field(description="Without accents, in small letters.", examples=["tortrue"])
    match: Literal["word", "prefix", "exact"] = Field(
        description="`prefix`: it may be the beginning of a longer one. `exact`: a symbol or number, taken as it is."
    )
    also: list[str] = _ALSO
    read_as: ReadAs | None = Field(
        default=None,
        description="What it was read as through typing errors, or as a beginning; with `strict=true` never. "
        "Missing where that is nothing.",
    )


class AskedPhrase(Public):
    """Words that have to stand side by side."""

    phrase: list[str]
    also: list[str] = _ALSO


class AskedAll(Public):
    """All of these."""

    every: list["Asked"] = Field(alias="all")
    also: list[str] = _ALSO


class AskedAny(Public):
    """At least one of these."""

    either: list["Asked"] = Field(alias="any")


class AskedNot(Public):
    """Anything but this."""

    excluded: "Asked" = Field(alias="not")


class AskedFilter(Public):
    """A filter that is no filter of the whole search, since it stands among alternatives or is excluded."""

    filter: str = Field(examples=["recommending_state"])
    values: list[str] = Field(examples=[["ESP"]])


class AskedDates(Public):
    """Likewise a range of dates, both ends included."""

    filter: Literal["date"]
    first: str | None = Field(alias="from")
    last: str | None = Field(alias="to")


Asked: TypeAlias = AskedWord | AskedPhrase | AskedAll | AskedAny | AskedNot | AskedFilter | AskedDates


class Notice(Public):
    """Something that was put right or left out."""

    code: str = Field(description="Stable.", examples=["unbalanced_quote"])
    detail: str = Field(description="For people, in English.")


class Interpreted(Public):
    """What was understood of a query."""

    query: Asked | None = Field(description="What is asked for; null where no words are.")
    filters: dict[str, Any] = Field(
        description="Filters that the query sets, by name; ranges of dates under `date`. Of each group under `any` "
        "records meet one.",
        examples=[{"recommending_state": ["ESP"], "cycle": ["3.."]}],
    )
    notices: list[Notice]


for _model in (AskedAll, AskedAny, AskedNot):
    _model.model_rebuild()
