from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import backups


class Command(BaseCommand):
    help = "Write the database and the uploaded files into one folder, complete or not at all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--into", type=Path, default=settings.BACKUP_FOLDER, help="Where backups are kept.")
        parser.add_argument("--keep-days", type=int, default=35, help="Older ones go, once the new one is there.")
        parser.add_argument("--check", action="store_true", help="Make none: is the newest fresh and whole?")

    def handle(self, *, into: Path, keep_days: int, check: bool, **options: Any) -> None:
        if not check:
            try:
                made = backups.make(into)
            except (backups.Faulty, OSError) as error:
                raise CommandError(f"No backup was made; those that are there are as they were. {error}") from error
            forgotten = backups.forget_old(into, days=keep_days)
            self.stdout.write(f"{made} is complete. {forgotten} older than {keep_days} days went.")
        if faults := backups.faults(into):
            raise CommandError(" ".join(faults))
        if check:
            self.stdout.write("The newest backup is fresh and whole.")
