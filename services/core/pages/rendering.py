"""Pages from templates, with the headers that keep a hostile text from becoming anything but text."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup
from starlette.types import Scope

from services.core.domain.errors import NotFoundError, UprError
from services.core.pages.addresses import Address, Pairs
from services.core.pages.bidi import kept_to_itself
from services.core.pages.faults import fault_in_words, hints
from services.core.pages.words import LANGUAGE_NAMES, Words
from services.core.runtime.negotiation import preferred_language, preferred_media_type
from services.core.schemas.names import LANGUAGES

HTML = "text/html"
_ASSETS = {"page.css": "text/css", "suggest.js": "text/javascript"}
_FOR_EVER = "public, max-age=31536000, immutable"
"""Addresses of assets hold a hash of them, so what one shows never changes."""
_FOR_PROGRAMS = ("/v1/", "/problems/", "/healthz", "/readyz", "/metrics", "/openapi.json")
"""What is asked by programs, or by people who want to see what programs are told."""
_MARKED = re.compile(r"<mark>(.*?)</mark>", re.DOTALL)


class Pages:
    """The pages of one service.

    `package` holds its templates. `public_url` is the address under which people reach the service, `home` the path
    below which its styles and scripts are; `origins` are what its forms and scripts may ask besides itself, and
    `shared` values that every template of the service knows.
    """

    def __init__(
        self,
        package: str,
        *,
        public_url: str,
        home: str,
        origins: Sequence[str] = (),
        shared: Mapping[str, object] | None = None,
    ) -> None:
        self._base = urlsplit(public_url).path.rstrip("/")
        self._home = home
        self._guards = {
            "Content-Security-Policy": _policy([public_url, *origins]),
            "Referrer-Policy": "same-origin",
        }
        self._environment = Environment(
            loader=PrefixLoader(
                {"core": PackageLoader("services.core.pages"), "own": PackageLoader(package)}, delimiter="/"
            ),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_finished,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["marked"] = marked
        self._environment.globals |= {
            "asset": self.asset,
            "language_names": LANGUAGE_NAMES,
            "base": self._base,
            **(shared or {}),
        }

    def address(self, path: str, pairs: Pairs = ()) -> Address:
        """The address of a path of this service, from the root of the host: a proxy may have put us below a path."""
        return Address(f"{self._base}{path}", pairs)

    def asset(self, name: str) -> str:
        """The address of a style or script."""
        return str(self.address(f"{self._home}/assets/{self._edition}/{name}"))

    def page(
        self,
        request: Request,
        template: str,
        language: str,
        values: Mapping[str, Any],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The page that a template of the service makes of some values."""
        return self.answer(self.html(request, template, language, values), language, status=status, headers=headers)

    def html(self, request: Request, template: str, language: str, values: Mapping[str, Any]) -> str:
        """What the template makes of the values."""
        here = self.address(request.url.path, tuple(request.query_params.multi_items()))
        words = Words(language)
        return self._environment.get_template(template).render(
            {**values, "words": words, "language": words.language, "here": here, "languages": LANGUAGES}
        )

    def answer(
        self, html: str | bytes, language: str, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """A page with the headers of pages."""
        own = {**self._guards, "Content-Language": language}
        return Response(html, status, {**(headers or {}), **own}, media_type=HTML)

    def still(self, answer: Response) -> Response:
        """A page that the reader holds (304), with the guards that it has: a browser takes those of the last answer."""
        answer.headers.update(self._guards)
        return answer

    def fault(self, scope: Scope, error: UprError, headers: Mapping[str, str]) -> Response | None:
        """A page that says what was wrong and where to go on; None for who would rather have a problem document.

        It asks no database: that may be what is away.
        """
        request = Request(scope)
        if scope["path"].startswith(_FOR_PROGRAMS) or not wants_page(request):
            return None
        here = self.address(scope["path"], tuple(request.query_params.multi_items()))
        values = {
            "error": error,
            "fault": fault_in_words(error),
            "hints": hints(here, error),
            "request_id": scope.get("state", {}).get("request_id", ""),
        }
        return self.page(
            request, "core/fault.html", reader_language(request), values, status=error.status, headers=headers
        )

    def routes(self) -> APIRouter:
        """What pages load: styles and scripts."""
        router = APIRouter(include_in_schema=False)

        @router.get(f"{self._home}/assets/{{edition}}/{{name}}")
        def asset(edition: str, name: str) -> Response:
            if name not in _ASSETS or edition != self._edition:
                raise NotFoundError("There is no such file; the page that named it has changed since.")
            return Response(_read(name), headers={"Cache-Control": _FOR_EVER}, media_type=_ASSETS[name])

        return router

    @cached_property
    def _edition(self) -> str:
        return hashlib.sha256(b"".join(map(_read, _ASSETS))).hexdigest()[:12]


def wants_page(request: Request) -> bool:
    """Whether the reader would rather have a page than JSON: a browser's address line says so, a program does not."""
    return preferred_media_type(request.headers.get("accept"), ("application/json", HTML)) == HTML


def reader_language(request: Request) -> str:
    """The language that the address names, else the one that the browser prefers, else English."""
    asked = request.query_params.get("lang")
    return (
        asked if asked in LANGUAGES else preferred_language(request.headers.get("accept-language"), LANGUAGES) or "en"
    )


def as_page(pages: Callable[[Request], Pages], answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """A route of pages: one that the reader holds (304) has the guards that it has. Its faults are pages as those of
    everything else that a browser opens (`Pages.fault`).
    """

    def route(request: Request) -> Response:
        told = answer(request)
        held = told.status_code == HTTPStatus.NOT_MODIFIED and wants_page(request)
        return pages(request).still(told) if held else told

    return route


def marked(text: str) -> Markup:
    """A text that the search escaped and marked, as mark-up. Everything in it but pairs of marks is escaped anew."""
    parts = _MARKED.split(text)  # plain, marked, plain, marked … plain
    escaped = [Markup.escape(Markup(part).unescape()) for part in parts]  # noqa: S704 - unescaped to be escaped again
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if place % 2 else part for place, part in enumerate(escaped)
    )


def _finished(value: object) -> object:
    """What a template sets in."""
    return kept_to_itself(value) if isinstance(value, str) else value


def _policy(origins: Sequence[str]) -> str:
    """Styles and scripts from here alone, none within the page; nothing may frame it."""
    others = "".join(f" {part.scheme}://{part.netloc}" for part in map(urlsplit, origins) if part.netloc)
    return (
        f"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'{others}; "
        f"form-action 'self'{others}; base-uri 'none'; frame-ancestors 'none'"
    )


def _read(name: str) -> bytes:
    return (files("services.core.pages") / "assets" / name).read_bytes()
