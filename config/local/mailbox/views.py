"""The mailbox in the browser, for people, and as `/messages.json`, for tests and scripts."""

import re
from pathlib import Path

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template import Context, Engine
from django.urls import path, reverse
from django.utils.csp import CSP
from django.utils.http import content_disposition_header
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from . import letters
from .letters import Letter

HERE = Path(__file__).parent
ENGINE = Engine(dirs=[str(HERE)])
PAGE_CSP: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "frame-src": [CSP.SELF],
    "form-action": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}
# A letter's own markup may be styled inline, as mails are; it runs nothing and fetches nothing from elsewhere.
LETTER_CSP: dict[str, list[str]] = {
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    "default-src": [CSP.NONE],
    "style-src": [CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:"],
    "form-action": [CSP.NONE],
    "frame-ancestors": [CSP.SELF],
}


class Handler(WSGIHandler):
    """Django's handler and the site's middleware, on the mailbox's own addresses."""

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        request.urlconf = __name__
        return super().get_response(request)


@require_safe
@csp_override(PAGE_CSP)
def index(request: HttpRequest) -> HttpResponse:
    return page("index.html", letters=letters.newest(), count=letters.count(), site_url=settings.SITE_URL)


@require_safe
def messages(request: HttpRequest) -> JsonResponse:
    """The newest first, each with all that a test may want to know."""
    return JsonResponse({"count": letters.count(), "messages": [as_json(one) for one in letters.newest()]})


@require_safe
@csp_override(PAGE_CSP)
def show(request: HttpRequest, letter_id: str) -> HttpResponse:
    return page("letter.html", letter=find_or_404(letter_id))


@require_safe
@csp_override(LETTER_CSP)
@xframe_options_sameorigin
def html(request: HttpRequest, letter_id: str) -> HttpResponse:
    letter = find_or_404(letter_id)
    markup = letter.html
    for part in letter.attachments:
        if part.content_id:
            markup = markup.replace(f"cid:{part.content_id}", attachment_url(letter, part.number))
    # A link opens in a tab of its own: the pages it leads to refuse to be framed.
    return HttpResponse(re.sub(r"(?i)<head[^>]*>", r'\g<0><base target="_blank">', markup, count=1))


@require_safe
def attachment(request: HttpRequest, letter_id: str, number: int) -> HttpResponseBase:
    for part in find_or_404(letter_id).attachments:
        if part.number == number:
            is_picture = part.media_type in ("image/png", "image/jpeg", "image/gif", "image/webp")
            response = HttpResponse(part.content, content_type=part.media_type)
            disposition = content_disposition_header(not is_picture, part.name)
            response.headers["Content-Disposition"] = disposition or "inline"
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # a sandboxed letter has no origin
            return response
    raise Http404


@require_safe
def source(request: HttpRequest, letter_id: str) -> HttpResponse:
    find_or_404(letter_id)
    return HttpResponse(letters.source(letter_id), content_type="text/plain; charset=utf-8")


@require_safe
def stylesheet(request: HttpRequest) -> HttpResponse:
    return HttpResponse((HERE / "mailbox.css").read_bytes(), content_type="text/css; charset=utf-8")


def page(name: str, **context: object) -> HttpResponse:
    return HttpResponse(ENGINE.get_template(name).render(Context(context)))


def find_or_404(letter_id: str) -> Letter:
    try:
        return letters.find(letter_id)
    except FileNotFoundError:
        raise Http404(f"No letter {letter_id}") from None


def attachment_url(letter: Letter, number: int) -> str:
    return reverse("attachment", args=[letter.id, number], urlconf=__name__)


def as_json(letter: Letter) -> dict[str, object]:
    return {
        "id": letter.id,
        "url": reverse("letter", args=[letter.id], urlconf=__name__),
        "received_at": letter.received_at.isoformat(),
        "from": letter.sender,
        "to": letter.recipients,
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "headers": letter.headers,
        "attachments": [
            {
                "name": part.name,
                "type": part.media_type,
                "size": len(part.content),
                "url": attachment_url(letter, part.number),
            }
            for part in letter.attachments
        ],
    }


urlpatterns = [
    path("", index, name="index"),
    path("messages.json", messages, name="messages"),
    path("mailbox.css", stylesheet, name="stylesheet"),
    path("messages/<str:letter_id>/", show, name="letter"),
    path("messages/<str:letter_id>/html", html, name="html"),
    path("messages/<str:letter_id>/source", source, name="source"),
    path("messages/<str:letter_id>/attachments/<int:number>", attachment, name="attachment"),
]
