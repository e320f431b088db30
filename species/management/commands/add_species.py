from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from species.models import Species, Status
from species.previewing import link_to

NEXT = """{name} is there, and nobody sees it yet.

  1. Give it sources, facts and texts in the admin: {admin}
  2. Look at its page whenever you like:            {preview}
  3. Tick “published” when it is right:             {change}

A drawing goes to static/art/{slug}.svg; until then its page shows a landscape."""


class Command(BaseCommand):
    help = "Add a species, unpublished, for staff to fill in the admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="Part of the page's address: amur-leopard")
        parser.add_argument("--common-name", required=True, help="As a reader would say it: “Amur leopard”")
        parser.add_argument("--scientific-name", required=True, help="“Panthera pardus orientalis”")
        parser.add_argument(
            "--status",
            choices=Status.values,
            default=Status.NE,
            help="IUCN category. It follows the fact “iucn-status” once the species has one.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        species = Species(
            slug=options["slug"],
            common_name=options["common_name"].strip(),
            scientific_name=options["scientific_name"].strip(),
            status=options["status"],
            as_of=f"{timezone.localdate():%Y-%m}",
            is_published=False,
        )
        try:
            species.full_clean()
        except ValidationError as error:
            reasons = [f"{field}: {' '.join(said)}" for field, said in error.message_dict.items()]
            raise CommandError(f"Nothing was added. {' '.join(reasons)}") from error
        species.save()
        places = {
            "admin": reverse("admin:app_list", args=["species"]),
            "preview": link_to(species),
            "change": reverse("admin:species_species_change", args=[species.pk]),
        }
        addresses = {place: settings.SITE_URL + address for place, address in places.items()}
        self.stdout.write(NEXT.format(name=species.heading, slug=species.slug, **addresses))
