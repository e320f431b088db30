from django.apps import AppConfig


class AdoptionsConfig(AppConfig):
    name = "adoptions"
    verbose_name = "Adoptions"

    def ready(self) -> None:
        from config.models import SENT_ANEW_ELSEWHERE
        from species.campaign_codes import codes

        from . import (
            campaigns,
            gift_emails,
            measures,  # noqa: F401  has its numbers read
        )

        codes.come_from(campaigns.all_codes)
        SENT_ANEW_ELSEWHERE.add(gift_emails.MESSAGE)
