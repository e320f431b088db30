"""What the production server serves: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from . import practice  # noqa: E402  only now are there models

practice.refuse_database_of_others()
