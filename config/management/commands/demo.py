import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections

from config.local import demo, postgres
from config.local.supervisor import CannotRunError, Console


class Command(BaseCommand):
    help = "Run the whole site on this machine: database, content, Stripe stand-in, worker, mailbox and web."
    requires_system_checks: list[str] = []  # some ask the database: `demo.prepare` runs them once there is one

    def handle(self, **options: Any) -> None:
        console = Console(sys.stdout)
        try:
            demo.run(console)
        except KeyboardInterrupt:
            pass  # asked to stop before it was up
        except (CannotRunError, CommandError, OperationalError, postgres.StartError) as error:
            console.show_held()
            self.stderr.write(str(error))
            sys.exit(1)
        finally:
            connections.close_all()
            postgres.release()
        console.say("Stopped.")
