"""What the production server serves: `gunicorn config.wsgi`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from config import template_loading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_alone = get_wsgi_application()

if not settings.DEBUG:
    template_loading.read_all()

from . import practice  # noqa: E402  only now are there models

practice.refuse_database_of_others()
application = import_string(settings.IN_FRONT_OF_DJANGO)(django_alone)
