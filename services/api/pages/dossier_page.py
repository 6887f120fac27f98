"""The dossier as a page: `/dossier/{state}/{topic}`. It prints well, and leads to all its other forms."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from services.api.dependencies import desk_of
from services.api.dossier.telling import telling_of
from services.api.pages.record_page import pages_of
from services.api.routes.dossiers import FORMS, Form, ToldDossier, dossier_file, told_dossier
from services.core.pages.charts import answers_by_cycle
from services.core.pages.rendering import as_page, reader_language, wants_page
from services.core.pages.words import Words
from services.core.runtime.web import JsonAnswer

_SUBJECT = "/dossier/{state}/{topic}"


def dossier_page() -> APIRouter:
    """`/dossier/{state}/{topic}`, and its forms by their suffix: `.docx`, `.pdf`."""
    router = APIRouter(include_in_schema=False)
    for form in FORMS:
        _add_form(router, form)
    router.add_api_route(_SUBJECT, as_page(pages_of, _page), methods=["GET"])
    return router


def _add_form(router: APIRouter, form: Form) -> None:
    def file(request: Request) -> Response:
        told = _told(request)
        return dossier_file(told, form) if isinstance(told, ToldDossier) else told

    router.add_api_route(f"{_SUBJECT}.{form.suffix}", as_page(pages_of, file), methods=["GET"])


def _told(request: Request) -> ToldDossier | Response:
    asked = request.path_params
    return told_dossier(request, asked["state"], asked["topic"], [("lang", reader_language(request))])


def _page(request: Request) -> Response:
    told = _told(request)
    if not isinstance(told, ToldDossier):
        return told
    if not wants_page(request):
        return JsonAnswer(told.shape, headers=told.headers)
    language = told.names.language
    words, public_url = Words(language), desk_of(request).settings.public_url.rstrip("/")
    counted = [(cycle["cycle"], cycle["answers"]) for cycle in told.shape["cycles"] if cycle["answers"]]
    values = {
        "telling": telling_of(told.shape, told.names),
        "dataset": told.shape["dataset"],
        "picture": answers_by_cycle(counted, words("record.received"), words),
        "uses": _uses(request, told),
        "here_url": public_url,
        "citation_forms": f"{public_url}/v1/recommendations/citation?{_filters(told)}",
        "searched": _filters(told, type="recommendations"),
    }
    return pages_of(request).page(request, "own/dossier.html", language, values, headers=told.headers)


def _uses(request: Request, told: ToldDossier) -> list[tuple[str, str]]:
    """What can be done with a dossier: the names of messages, and addresses."""
    api = f"{desk_of(request).settings.public_url.rstrip('/')}/v1"
    here, language = told.shape["url"], urlencode({"lang": told.names.language})
    subject = f"{told.shape['state']['code']}/{told.shape['topic']['id']}"
    filters = _filters(told)
    return [
        ("dossier.as_docx", f"{here}.docx?{language}"),
        ("dossier.as_pdf", f"{here}.pdf?{language}"),
        ("search.as_json", f"{api}/dossiers/{subject}?{language}"),
        ("dossier.recommendations_csv", f"{api}/recommendations.csv?{filters}"),
        ("dossier.recommendations_xlsx", f"{api}/recommendations.xlsx?{filters}"),
        ("search.follow", f"{api.removesuffix('/v1')}/follow?{_filters(told, type='recommendations')}"),
    ]


def _filters(told: ToldDossier, **more: str) -> str:
    chosen = {"state_under_review": told.shape["state"]["code"], "topic": told.shape["topic"]["id"]}
    return urlencode({**more, **chosen, "lang": told.names.language})
