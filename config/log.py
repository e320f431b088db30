"""What must not be read in the log: the secret in the address of a link.

Django logs the path of every request that it refuses, and whoever reads the log could follow the link: into a
present, a certificate, or the comments that wait for a moderator.
"""

import copy
import logging
import re

# Every secret of ours is longer than any slug or file name of a page: 22 characters of base64 are 128 bits.
SECRET = re.compile(r"(?<=/)(?=[^/]*\d|[^/]*[A-Z])[\w:-]{22,}")


class WithoutSecrets(logging.Filter):
    """Paths in a line lose their secrets. Other handlers get the record as it was."""

    def filter(self, record: logging.LogRecord) -> logging.LogRecord:
        if not isinstance(record.args, tuple):
            return record
        found = copy.copy(record)
        found.args = tuple(SECRET.sub("(secret)", each) if isinstance(each, str) else each for each in record.args)
        return found
