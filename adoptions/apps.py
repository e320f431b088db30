from django.apps import AppConfig


class AdoptionsConfig(AppConfig):
    name = "adoptions"
    verbose_name = "Adoptions"

    def ready(self) -> None:
        from species.campaign_codes import codes

        from . import (
            campaigns,
            measures,  # noqa: F401  has its numbers read
        )

        codes.come_from(campaigns.all_codes)
