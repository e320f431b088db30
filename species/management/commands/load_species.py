from typing import Any

from django.core.management.base import BaseCommand, CommandError

from species.content_files import ContentError
from species.content_loading import load


class Command(BaseCommand):
    help = "Load the species, facts and texts from species/content/. Safe to repeat: what staff edited is kept."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = load()
        except ContentError as error:
            raise CommandError(f"Nothing was loaded. {error}") from error
        self.stdout.write(f"Species content: {report}.")
        for name in report.kept:
            self.stdout.write(f"  kept as staff edited it: {name}")
        for name in report.left_over:
            self.stdout.write(f"  no longer in the files (unpublish it if it is wrong): {name}")
