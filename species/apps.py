from django.apps import AppConfig


class SpeciesConfig(AppConfig):
    name = "species"
    verbose_name = "Species"

    def ready(self) -> None:
        from . import reminders  # noqa: F401  puts its tasks on the timetable
