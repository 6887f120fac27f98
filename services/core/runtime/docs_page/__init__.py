"""`/docs`: the OpenAPI document to read and to try out, in a browser, without anything from elsewhere.

The page is Swagger UI; the package `fastapi-swagger` ships its files, which are served from under `/docs`. The
addresses are relative, so that the page works behind any path of a proxy.
"""

import html
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from urllib.parse import urlsplit

from fastapi import APIRouter, Response

from services.core.domain.errors import NotFoundError

_SHIPPED = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon-32x32.png": "image/png"}
_OURS = {"start.js": "text/javascript", "page.css": "text/css"}
_FOR_EVER = "public, max-age=31536000, immutable"
"""Addresses of assets hold the version, so what one shows never changes."""


def docs_routes(title: str, release: str, public_url: str) -> APIRouter:
    """The page and its assets. `release` is the version of OpenUPR; pages may call `public_url` besides themselves."""
    routes = APIRouter(include_in_schema=False)
    edition = f"{release}-{version('fastapi-swagger')}"
    page = _read("page.html").decode().replace("{title}", html.escape(title)).replace("{edition}", edition)
    headers = {"Content-Security-Policy": _policy(public_url), "Referrer-Policy": "no-referrer"}

    @routes.get("/docs")
    async def docs() -> Response:
        return Response(page, headers={**headers, "Cache-Control": "no-cache"}, media_type="text/html")

    @routes.get("/docs/assets/{asked_edition}/{name}")
    def asset(asked_edition: str, name: str) -> Response:
        media_type = (_SHIPPED | _OURS).get(name)
        if media_type is None or asked_edition != edition:
            raise NotFoundError("There is no such file of the documentation; /docs names those that there are.")
        return Response(_read(name), headers={"Cache-Control": _FOR_EVER}, media_type=media_type)

    return routes


def _policy(public_url: str) -> str:
    """Scripts and styles from here alone; requests to this service, under the address it is asked at or its public one.

    `data:` images are the icons within Swagger UI's styles.
    """
    address = urlsplit(public_url)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {address.scheme}://{address.netloc}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _read(name: str) -> bytes:
    package = "fastapi_swagger.resources" if name in _SHIPPED else "services.core.runtime.docs_page"
    return (files(package) / name).read_bytes()
