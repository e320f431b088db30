#!/usr/bin/env python
"""Django's command line for Pugmark."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["demo"]:
        # The demonstration is a development site by definition: settings read this before the command runs.
        os.environ.setdefault("DEBUG", "True")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))  # a sentence for whoever configures; the traceback would only hide it


if __name__ == "__main__":
    main()
