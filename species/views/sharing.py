"""The picture that messengers and social sites show beside a link to a species."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from species.models import Species
from species.share_pictures import SharePicture, png_of

from .caching import public_page


@require_safe
@public_page
def share_picture(request: HttpRequest, slug: str) -> HttpResponse:
    picture = SharePicture.of(get_object_or_404(Species.objects.public(), slug=slug))
    unchanged = get_conditional_response(request, etag=picture.etag)
    if unchanged is not None:
        return unchanged
    response = HttpResponse(png_of(picture), content_type="image/png", headers={"ETag": picture.etag})
    # It is made to be shown on other people's pages.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
