"""Makes a deployment package of the bootstrap script."""

import io
import os
import sys
import zipfile

_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bootstrap_script.py")


def package():
    """The bootstrap script as a deployment package."""
    with open(_SCRIPT, encoding="utf-8") as source:
        script = f"#!{sys.executable} -ISE\n" + source.read()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        opened.writestr(entry, script)
    return archive.getvalue()
