"""Serve `/docs`, the API in a browser. Its script comes from an installed package and is served from here.

Nothing is loaded from other servers: people type API keys into this page, and some machines have no internet access.
"""

from importlib.resources import as_file, files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from api.http import document

STATIC = "/docs/static"


def install(app: FastAPI) -> None:
    """Add the page and its script to the application."""

    def page() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=document.PATH,
            title="posync API",
            swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
            swagger_css_url=f"{STATIC}/swagger-ui.css",
            swagger_favicon_url=f"{STATIC}/favicon.png",
        )

    app.add_api_route("/docs", page, include_in_schema=False)
    with as_file(files("fastapi_offline").joinpath("static")) as folder:
        app.mount(STATIC, StaticFiles(directory=folder))
