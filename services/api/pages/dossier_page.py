"""The dossier as a page: `/dossier/{state}/{topic}`. It prints well, and leads to the Word document."""

from fastapi import APIRouter, Request, Response

from services.api.dependencies import desk_of
from services.api.pages.record_page import pages_of
from services.api.routes.dossiers import ToldDossier, told_dossier
from services.core.pages.charts import answers_by_cycle
from services.core.pages.rendering import as_page, reader_language, wants_page
from services.core.pages.words import Words
from services.core.runtime.web import JsonAnswer


def dossier_page() -> APIRouter:
    """`/dossier/{state}/{topic}`."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/dossier/{state}/{topic}", as_page(pages_of, _page), methods=["GET"])
    return router


def _page(request: Request) -> Response:
    state, topic, language = request.path_params["state"], request.path_params["topic"], reader_language(request)
    told = told_dossier(request, state, topic, [("lang", language)])
    if not isinstance(told, ToldDossier):
        return told
    if not wants_page(request):
        return JsonAnswer(told.shape, headers=told.headers)
    words = Words(language)
    below = f"{desk_of(request).settings.public_url.rstrip('/')}/v1/dossiers/{state}/{topic}"
    counted = [(cycle["cycle"], cycle["answers"]) for cycle in told.shape["cycles"] if cycle["answers"]]
    values = {
        "dossier": told.shape,
        "dataset": told.shape["dataset"],
        "noun": "reviews",
        "called": told.names.of_filter_value,
        "picture": answers_by_cycle(counted, words("record.received"), words),
        "json": f"{below}?lang={language}",
        "docx": f"{below}/document.docx?lang={language}",
    }
    return pages_of(request).page(request, "own/dossier.html", language, values, headers=told.headers)
