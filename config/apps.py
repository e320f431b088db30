from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The platform under both apps: settings, checks, mail out, tasks, limits, and what runs on a laptop."""

    name = "config"
    verbose_name = "Operations"

    def ready(self) -> None:
        from django.conf import settings
        from django.tasks.signals import task_finished, task_started

        from . import checks, error_reports, log  # noqa: F401  registers the system checks

        if settings.SENTRY_DSN:
            error_reports.start(settings.SENTRY_DSN)
        task_started.connect(log.begin_task, dispatch_uid="log")
        task_finished.connect(log.end_task, dispatch_uid="log")
