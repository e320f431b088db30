from django.apps import AppConfig


class AdoptionsConfig(AppConfig):
    name = "adoptions"
    verbose_name = "Adoptions"

    def ready(self) -> None:
        from . import measures  # noqa: F401  has its numbers read
