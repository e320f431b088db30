"""A page of our own on the desk: the frame of Django's admin, the way back, and the status of what was sent to it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.text import capfirst

LEADS_BACK = {"admin:supporter_timeline"}

type Step = type[Model] | Model | tuple[str, str]  # a list, one of its rows, or words with an address


def desk_page(
    request: HttpRequest,
    template: str,
    title: str,
    *,
    trail: Iterable[Step] = (),
    here: str = "",
    form: BaseForm | None = None,
    **context: Any,
) -> TemplateResponse:
    """`trail`: the steps between the first page and this one; `here`: this one in it, if not by its title.

    Its template extends `admin/desk_page.html`. With a form that cannot be taken the status is 422.
    """
    context = {
        **admin.site.each_context(request),
        "title": title,
        "trail": [as_link(step) for step in trail],
        "here": here or title,
        "form": form,
        **context,
    }
    return TemplateResponse(request, template, context, status=status_of(form))


def as_link(step: Step) -> tuple[str, str]:
    if isinstance(step, tuple):
        return step
    meta = step._meta
    screen = f"admin:{meta.app_label}_{meta.model_name}"
    if isinstance(step, type):
        return str(capfirst(meta.verbose_name_plural)), reverse(f"{screen}_changelist")
    return str(step), reverse(f"{screen}_change", args=[step.pk])


def status_of(form: BaseForm | None) -> int:
    return 422 if form is not None and form.is_bound and form.errors else 200


def see(address: str) -> HttpResponseRedirect:
    """After something was done: there, by a GET, so that going back sends nothing twice."""
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response


def see_back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """After something was done: to the page they came from, if `back` in what was sent is the address of one.

    That may be a page of LEADS_BACK alone, and its address is written anew: anybody can put together a link.
    """
    try:
        page = resolve(request.GET.get("back") or request.POST.get("back", ""))
    except Resolver404:
        return see(otherwise)
    return see(reverse(page.view_name, kwargs=page.kwargs) if page.view_name in LEADS_BACK else otherwise)
