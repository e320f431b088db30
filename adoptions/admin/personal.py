"""For who asks on the phone or in a letter what we hold, or to be erased: the same as they can do themselves."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from config.desk_page import desk_page, see
from config.fresh_sign_in import fresh_sign_in_required

from .. import personal_data
from ..models import Supporter


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    return [
        path("<int:pk>/all-we-hold.json", wrap(hand_over), name="hand_over"),
        path("<int:pk>/erase/", wrap(erase), name="erase_supporter"),
    ]


@require_safe
@fresh_sign_in_required(to="save")
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """All that we hold about one person, as a file for them; the log of staff notes who took it out."""
    if not request.user.has_perm("adoptions.change_supporter"):
        raise PermissionDenied
    supporter = get_object_or_404(Supporter, pk=pk, erased_at=None)
    response = JsonResponse(personal_data.export(supporter), json_dumps_params={"indent": 2, "ensure_ascii": False})
    disposition = content_disposition_header(as_attachment=True, filename=f"supporter-{pk}.json")
    response.headers["Content-Disposition"] = disposition or ""
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in_required()
def erase(request: HttpRequest, pk: int) -> HttpResponse:
    """What goes and what stays; then, with a tick, for good."""
    if not request.user.has_perm("adoptions.delete_supporter"):
        raise PermissionDenied
    supporter = get_object_or_404(Supporter, pk=pk, erased_at=None)
    what = personal_data.before_erasure(supporter)
    if request.method == "POST" and request.POST.get("sure") and personal_data.erase(supporter):
        messages.success(request, "Erased. What the law makes us keep stays, without a name.")
        return see(reverse("admin:supporter_timeline", args=[pk]))
    response = desk_page(
        request,
        "admin/adoptions/erase.html",
        "Erase a supporter",
        trail=[Supporter, (str(supporter), reverse("admin:supporter_timeline", args=[pk]))],
        here="Erase",
        supporter=supporter,
        must_tick=request.method == "POST" and not what["running"],
        **what,
    )
    response.status_code = 422 if request.method == "POST" else 200
    return response
