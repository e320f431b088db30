"""A Django with nothing in it, to measure ours by: an empty view, and a plain page out of six queries and a template.

`gunicorn tests.bench.bare:application`; DATABASE_URL as for the site, whose tables it reads.
"""

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

if not settings.configured:
    import environ

    settings.configure(
        SECRET_KEY="measured-and-thrown-away",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        DATABASES={"default": environ.Env().db_url("DATABASE_URL") | {"CONN_MAX_AGE": 60}},
        INSTALLED_APPS=[],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        USE_TZ=True,
    )
    django.setup()

QUERIES = (
    "SELECT id, common_name, scientific_name FROM species_species WHERE slug = 'amur-leopard'",
    "SELECT id, label, value, unit, note FROM species_fact WHERE species_id = 1 ORDER BY position",
    "SELECT id, title, body FROM species_text WHERE species_id = 1 AND language = 'en-gb' ORDER BY position",
    "SELECT id, name, summary FROM species_threat ORDER BY position",
    "SELECT id, title, publisher, year, url FROM species_source ORDER BY key LIMIT 40",
    "SELECT id, name_to_show, body, created_at FROM species_comment WHERE status = 'approved' ORDER BY id LIMIT 30",
)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A plain page</title></head><body>
{% for rows in answers %}<table>{% for row in rows %}<tr>{% for value in row %}<td>{{ value }}</td>{% endfor %}</tr>
{% endfor %}</table>{% endfor %}</body></html>"""


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n")


def plain(request: HttpRequest) -> HttpResponse:
    from django.db import connection

    answers = []
    for query in QUERIES:
        with connection.cursor() as cursor:
            cursor.execute(query)
            answers.append(cursor.fetchall())
    return HttpResponse(TEMPLATE.render({"answers": answers}))


urlpatterns = [path("empty", empty), path("plain", plain)]
application = get_wsgi_application()
TEMPLATE = engines["django"].from_string(PAGE)
assert os.environ.get("DATABASE_URL")
