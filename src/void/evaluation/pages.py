"""What both pages share: templates that embed everything and ask the network for nothing."""

from __future__ import annotations

import base64
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from void.files import sha256_of

REPORT_TEMPLATE, NOISE_TEMPLATE = "report.html.jinja", "noise.html.jinja"


def template_fingerprint() -> str:
    """Hash of the pages' templates: a new design makes old reports stale."""
    folder = resources.files("void.evaluation") / "templates"
    files = sorted((file for file in folder.iterdir() if file.is_file()), key=lambda file: file.name)
    return sha256_of([file.read_text(encoding="utf-8") for file in files])


def environment() -> Environment:
    """Jinja with escaping, an error for every misspelt name, and a `data_uri` filter for bytes."""
    made = Environment(
        loader=PackageLoader("void.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["data_uri"] = data_uri
    return made


def data_uri(content: bytes, kind: str = "video/mp4") -> str:
    """Bytes as an address that holds them."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
