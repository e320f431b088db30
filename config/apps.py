from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The platform under both apps: settings, checks, mail out, tasks, limits, and what runs on a laptop."""

    name = "config"
    verbose_name = "Operations"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers the system checks
