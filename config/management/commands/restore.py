from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import backups
from config.models import Mail, MailState


class Command(BaseCommand):
    help = "Bring a backup back into an empty database. Every row is compared with what was written."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", type=Path, help="The folder of one backup.")
        parser.add_argument("--without-media", action="store_true", help="Leave the uploaded files alone: for a drill.")

    def handle(self, *, backup: Path, without_media: bool, **options: Any) -> None:
        try:
            manifest = backups.restore(backup, with_media=not without_media)
        except (backups.Faulty, OSError) as error:
            raise CommandError(str(error)) from error
        waiting = Mail.objects.filter(state__in=[MailState.QUEUED, MailState.SENDING]).count()
        self.stdout.write(
            f"{len(manifest['tables'])} tables of {manifest['made_at']} are back, each row as it was, and "
            f"{0 if without_media else len(manifest['media'])} files. "
            f"{waiting} mails waited then and are sent once the worker runs. Now run: manage.py migrate"
        )
