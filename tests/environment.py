"""The environment tests run in: a development site that no variable of the person at the keyboard reaches, and whose
modules and tests the collector of garbage does not walk through again and again.

A pytest plugin, named in pyproject.toml, because settings are read before any conftest.py is.
"""

import gc
import os
import sys

os.environ["DEBUG"] = "True"
for variable in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "STRIPE_API_BASE", "SITE_URL", "EMAIL_URL"):
    os.environ.pop(variable, None)
# Playwright keeps an event loop running in the test's thread; Django would take that for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
# What is compiled is kept: tests start many processes, some of them in copies of the project. The next run has it too.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
gc.set_threshold(50_000, 20, 50)


def pytest_collection_finish() -> None:
    """What is there now stays."""
    gc.collect()
    gc.freeze()
