from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import scrubbing


class Command(BaseCommand):
    help = "Overwrite every name, address and word of people in this database, which must be a copy. No way back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--in", dest="database", required=True, metavar="NAME", help="The database's name, typed to be sure of it."
        )

    def handle(self, *, database: str, **options: Any) -> None:
        try:
            rows = scrubbing.scrub(database=database)
        except scrubbing.CannotScrubError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{rows} rows were overwritten or removed. The database is a development one now.")
