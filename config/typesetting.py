"""Pages and pictures drawn by Typst: what certificates and share pictures have in common.

Words reach a template as strings and are never run. The fonts are kept in config/fonts/, so that a page looks the
same on every machine.
"""

import threading
from functools import cache
from pathlib import Path
from typing import Any

import typst

FONTS = Path(__file__).parent / "fonts"

# Typst's compiler refuses to be entered by two threads at once; a page takes some ten milliseconds.
compiling = threading.Lock()


def compile_page(template: Path, values: dict[str, str], *, has_system_fonts: bool = False, **how: Any) -> bytes:
    """One page in the wanted `format`; a template sees the files of its own folder and no others."""
    with compiling:
        page = compiler(template, has_system_fonts).compile(sys_inputs=values, **how)
    if not isinstance(page, bytes):
        raise TypeError(f"{template.name} came out as more than one page.")
    return page


@cache
def compiler(template: Path, has_system_fonts: bool) -> typst.Compiler:
    """Kept for the life of the process: reading the fonts takes longer than drawing a page."""
    return typst.Compiler(template, root=template.parent, font_paths=fonts(has_system_fonts), ignore_system_fonts=True)


@cache
def fonts(has_system_fonts: bool) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=has_system_fonts, include_embedded_fonts=False, font_paths=[FONTS])
