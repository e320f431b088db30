from django.apps import AppConfig


class SpeciesConfig(AppConfig):
    name = "species"
    verbose_name = "Species"

    def ready(self) -> None:
        from . import measures, reminders  # noqa: F401  has its numbers read, puts its tasks on the timetable
