from whitenoise.storage import CompressedManifestStaticFilesStorage


class CompressedModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # ships no types
    """Hashed names also for `import "./x.js"`, which Django leaves alone unless asked."""

    support_js_module_import_aggregation = True
