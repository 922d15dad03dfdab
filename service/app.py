"""The Flask application: everything is put together here and nowhere else."""

from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response
from werkzeug.datastructures import Headers

from service.api import (
    audit,
    batches,
    convert,
    deliveries,
    door,
    observe,
    operations,
    overlays,
    patients,
    problems,
    reports,
    stow,
    terminology,
    terms,
    unmapped,
)
from service.api.deployment import Deployment, install
from service.api.openapi import make_api
from service.config import Settings
from service.pipeline import tables
from service.web import docs

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_WORKED_ON: Final = frozenset({"location", "content-location"})
"""What Werkzeug makes an address of."""


class Answer(Response):
    """A response whose headers are sent as they are, where nothing is to be changed of them."""

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """The headers themselves of a 200 of known length without addresses; else a copy as Werkzeug has it."""
        named = {name.lower() for name, _ in self.headers}
        if self.status_code == 200 and "content-length" in named and _WORKED_ON.isdisjoint(named):
            return self.headers
        return super().get_wsgi_headers(environ)


class Service(Flask):
    """A Flask application whose functions are plain ones: none is asked each time whether it is a coroutine."""

    response_class = Answer

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The service for some settings (by default those of a fresh installation)."""
    settings = settings or Settings()
    app = Service("service", static_folder=None)
    app.config.update(
        # `service.api.body` holds the limit and has to see one byte more to know that it is passed.
        MAX_CONTENT_LENGTH=settings.limits.body_bytes + 1,
        MAX_FORM_MEMORY_SIZE=0,
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        PROPAGATE_EXCEPTIONS=False,
    )
    observe.configure_logging(settings.log_level)
    observe.observe(app)
    door.guard(app, settings)
    here = Deployment(settings)
    for problem in here.doubts:
        observe.doubt(problem)
    install(here, app.extensions)
    app.register_error_handler(Exception, problems.answer)
    api = make_api(version("lesionbridge"), guarded=settings.access == "required")
    api.init_app(app)
    terminology.install(app, settings)
    for room in (
        convert,
        reports,
        batches,
        stow,
        patients,
        deliveries,
        operations,
        terminology,
        terms,
        overlays,
        unmapped,
        audit,
    ):
        api.register_blueprint(room.blueprint)
    app.register_blueprint(docs.blueprint)
    tables(settings.issuers_file)  # loaded before workers are forked, so that they share it
    return app
