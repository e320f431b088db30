"""The table of contents. Public addresses are promises: old mails are clicked for years, and a test freezes them."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

from adoptions.views import complaining

from . import policy_reports
from .bounces import receive
from .health import healthz, readyz
from .metrics import metrics
from .pages import PAGES, page

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.page_not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("", include("species.urls")),
    path("", include("adoptions.urls")),
    *(path(f"{name}/", page, {"name": name}, name=name) for name in PAGES),
    path("complaints/", complaining.complain, name="complaints"),
    path("complaints/received/", complaining.received, name="complaint_received"),
    path("csp-reports/", policy_reports.receive, name="csp_reports"),
    path("mail/bounces/", receive, name="mail_bounces"),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    # Pictures that staff uploaded; only while DEBUG is on. In production the web server in front hands them out.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
