"""Goes from the index to each State's page, and from there to documents and submissions."""

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import pycountry

from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.reading import ReadIssue
from services.ingest.sources.base import Found, Visit
from services.ingest.sources.documents_by_symbol import document_found
from services.ingest.sources.ohchr_country_pages.pages import (
    CountryPage,
    Listed,
    country_pages,
    draft_path,
    frames_of_submissions,
    is_document,
    is_submissions_page,
    links_by_cycle,
    submissions,
    told,
)
from services.ingest.sources.review_calendar import WorkingGroupSession, sessions
from services.ingest.sources.web_pages import MOST_BYTES_OF_A_PAGE, PAGE_KINDS, WebPage

_KINDS = frozenset({"pdf", "docx", "doc_ole2", "xlsx"})


class OhchrCountryPages:
    """Finds what a State's page lists, each address once, States in the order of their codes.

    A page that cannot be had is told, and the others still come. A host that keeps robots out is asked for no other
    page: each State that was not looked at is told, and what was found of the others is read.
    """

    name = "ohchr_country_pages"

    def __init__(self, today: Callable[[], datetime.date] = datetime.date.today) -> None:
        self._today = today

    def find(self, visit: Visit) -> Iterator[Found]:
        """Documents, submissions and drafts. Raises `NotFetchedError` where the index or its host is not to be had."""
        index = _page(visit, f"{visit.sites['pages']}{told()['index']}")
        calendar = sessions(visit.engine)
        pages = [page for page in country_pages(index) if _is_wanted(page, visit, calendar)]
        if not pages:
            visit.note(ReadIssue("error", "layout_changed", f"{index.address}: no State's page is linked"))
        seen: set[str] = set()
        looking = _Looking(visit)
        for done, page in enumerate(pages):
            visit.told(done, len(pages))
            for found in (*self._on_page(looking, page), *self._drafts(visit, page, calendar)):
                if found.address not in seen:
                    seen.add(found.address)
                    yield found
        visit.told(len(pages), len(pages))

    def _on_page(self, looking: "_Looking", page: CountryPage) -> Iterator[Found]:
        visit = looking.visit
        country = looking.at(page.address, page.name)
        if country is None:
            return
        links = list(links_by_cycle(country))
        documents = list(_documents(visit, page, links))
        if not documents:
            visit.note(ReadIssue("warning", "layout_changed", f"{page.address}: no document is linked"))
        yield from documents
        for link in links:
            if is_submissions_page(link) and not is_document(link) and _has_submissions_kept(link):
                yield from _submissions(looking, page, link)

    def _drafts(self, visit: Visit, page: CountryPage, calendar: Iterable[WorkingGroupSession]) -> Iterator[Found]:
        """Where the draft of a State's review would be, as long as drafts are of use."""
        while_ = datetime.timedelta(days=told()["drafts"]["for_days"])
        for session in calendar:
            has_met = session.has_documents(self._today(), datetime.timedelta(0))
            if _state(page) in session.states and has_met and session.is_news(self._today(), while_):
                yield Found(
                    address=f"{visit.sites['drafts']}{quote(draft_path(session.number, page.name))}",
                    name=f"{page.name}, session {session.number}: draft report",
                    kinds=frozenset({"docx"}),
                    language="en",
                    may_be_missing=True,
                )


def _documents(visit: Visit, page: CountryPage, links: Iterable[Listed]) -> Iterator[Found]:
    for link in links:
        if link.symbol is not None:
            for language in told()["read"]["languages"]:
                yield document_found(visit.sites["documents"], link.symbol, language)
        elif is_document(link) and _is_ours(visit, link.address) and _is_read(link):
            yield _found(page, link)


def _submissions(looking: "_Looking", page: CountryPage, link: Listed) -> Iterator[Found]:
    visit, part = looking.visit, f"{page.name}, submissions"
    listing = looking.at(link.address, part) if _is_ours(visit, link.address) else None
    for address in frames_of_submissions(listing) if listing else ():
        frame = looking.at(address, part) if _is_ours(visit, address) else None
        for file in submissions(frame, link.cycle) if frame else ():
            if _is_ours(visit, file.address) and _is_read(file):
                yield _found(page, file)


def _found(page: CountryPage, link: Listed) -> Found:
    under = f", cycle {link.cycle}" if link.cycle else ""
    return Found(
        address=link.address, name=f"{page.name}{under}: {link.title[:120]}", kinds=_KINDS, language=link.language
    )


def _is_wanted(page: CountryPage, visit: Visit, calendar: Iterable[WorkingGroupSession]) -> bool:
    """With `--since`, only the States of which a session may have new documents."""
    take = datetime.timedelta(days=told()["read"]["documents_take_days"])
    state = _state(page)
    return visit.since is None or any(state in each.states and each.is_news(visit.since, take) for each in calendar)


def _is_read(link: Listed) -> bool:
    return link.language is None or link.language in told()["read"]["languages"]


def _has_submissions_kept(link: Listed) -> bool:
    return link.cycle is not None and link.cycle >= told()["submissions"]["from_cycle"]


def _is_ours(visit: Visit, address: str) -> bool:
    """Whether an address is on one of the source's own hosts: pages may link anywhere."""
    return urlsplit(address).netloc in {urlsplit(site).netloc for site in visit.sites.values()}


def _state(page: CountryPage) -> str | None:
    country = pycountry.countries.get(alpha_2=page.iso2.upper())
    return country.alpha_3 if country else None


def _page(visit: Visit, address: str) -> WebPage:
    return WebPage(visit.fetch(address, kinds=PAGE_KINDS, most_bytes=MOST_BYTES_OF_A_PAGE))


@dataclass
class _Looking:
    """Looks at pages. A host that refused us is not asked again in this visit."""

    visit: Visit
    refusals: dict[str, NotFetchedError] = field(default_factory=dict)

    def at(self, address: str, part: str) -> WebPage | None:
        """The page; None where it is not to be had: if it is still there, `part` of the source was not searched."""
        host = urlsplit(address).netloc
        error = self.refusals.get(host)
        if error is None:
            try:
                return _page(self.visit, address)
            except NotFetchedError as fault:
                error = fault
        if error.host_refuses:
            self.refusals[host] = error
        if error.missing:
            self.visit.note(ReadIssue("warning", error.code, f"{address}: {error.detail}"))
        else:
            self.visit.unread(f"{part} ({address})", error)
        return None
