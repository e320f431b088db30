"""One search over species, threats, facts, field notes and sources."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from species.forms import SearchForm
from species.search import find

from .caching import public_page


@require_safe
@public_page
def search(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    words = form.words()
    return render(request, "species/search.html", {"form": form, "words": words, "results": find(words)})
