"""The project's file of facts about organisations (`sources/organisations/organisations.toml`), read as any document.

So each role, name and membership in it rests on a document, and goes when the file no longer tells it.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.base import Content
from services.ingest.reading import ReadDocument, Reading, ReadIssue, ReadOrganisation

_OPENING = "# OpenUPR: facts about organisations"
_NAME = ("name", "acronym", "language", "since", "until", "source")
_MEMBERSHIP = ("organisation", "since", "until", "source")


class OrganisationFacts:
    """Reads the file of facts about organisations."""

    name = "organisation_facts"
    version = "1"

    def bid(self, content: Content) -> float:
        """High for a file that opens as ours does."""
        return 0.99 if content.data.lstrip(b"\xef\xbb\xbf").startswith(_OPENING.encode()) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the file. Raises `UnreadableDocumentError` (`damaged_table`) where it is no TOML of this form."""
        try:
            told = tomllib.loads(content.data.decode("utf-8-sig"))
            sources = told["source"]
            organisations = [each for entry in told["organisation"] for each in _read(entry, sources)]
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableDocumentError("damaged_table", f"the file of facts is damaged: {error}") from error
        known = {entry["id"] for entry in told["organisation"]}
        issues = tuple(
            ReadIssue("warning", "unknown_organisation", f"{each.id} is a member of {membership['organisation']}")
            for each in organisations
            for membership in each.memberships
            if membership["organisation"] not in known
        )
        document = ReadDocument(
            DocumentKind.FACTS_FILE.value, title="OpenUPR: facts about organisations", series="openupr organisations"
        )
        return Reading(self.name, self.version, document, organisations=tuple(organisations), issues=issues)


def _read(entry: Mapping[str, Any], sources: Mapping[str, Any]) -> Iterator[ReadOrganisation]:
    """An organisation, once a role; the first has its names and memberships."""
    names = tuple(_sourced(name, _NAME, sources) for name in entry["names"])
    memberships = tuple(_sourced(each, _MEMBERSHIP, sources) for each in entry.get("memberships", ()))
    for place, role in enumerate(entry["roles"]):
        yield ReadOrganisation(
            name=entry["names"][-1]["name"],
            kind=role["role"],
            acronym=entry["names"][-1].get("acronym"),
            city=entry.get("city"),
            state=entry.get("seat"),
            id=entry["id"],
            since=role.get("since"),
            until=role.get("until"),
            territory=entry.get("territory"),
            source=_source(role, sources),
            names=names if place == 0 else (),
            memberships=memberships if place == 0 else (),
        )


def _sourced(told: Mapping[str, str], members: tuple[str, ...], sources: Mapping[str, Any]) -> Mapping[str, str]:
    found = {name: told[name] for name in members if name in told}
    return {**found, "source": _source(told, sources)}


def _source(told: Mapping[str, str], sources: Mapping[str, Any]) -> str:
    """Where it is told, in words: its title, and its address if it has one."""
    source = sources[told["source"]]
    return f"{source['title']} <{source['address']}>" if "address" in source else str(source["title"])
