"""Reads text files of any program: UTF-8, with or without a byte order mark."""

from __future__ import annotations

import codecs
import shlex
from pathlib import Path

from void.errors import InputError

# The mark of UTF-32 begins with that of UTF-16.
FOREIGN_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_text(path: str | Path, *, errors: str = "strict") -> str:
    """The text of a UTF-8 file without its byte order mark, which editors of Windows put in front.

    Args:
        path: File.
        errors: `strict`, or `replace` where single bytes of another encoding do no harm.

    Raises:
        InputError: the file is missing, a folder or unreadable, or it is not UTF-8; another encoding is named.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist", "check the path, or run the command that writes it") from error
    except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise InputError(f"{path} cannot be read ({error.strerror})", "give the path of a readable file") from error
    return decode_text(content, path, errors=errors)


def decode_text(content: bytes, path: str | Path, *, errors: str = "strict") -> str:
    """The text of bytes that `path` holds, as `read_text` gives it.

    Raises:
        InputError: the bytes are not UTF-8; another encoding is named.
    """
    for mark, encoding in FOREIGN_MARKS.items():
        if content.startswith(mark):
            raise InputError(f"{path} is text in {encoding}, not UTF-8", _convert(path, encoding))
    try:
        return content.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not text in UTF-8 (byte {error.start} is 0x{content[error.start]:02x})",
            f"save it as UTF-8, or if it is text of Windows: {_convert(path, 'WINDOWS-1252')}",
        ) from error


def _convert(path: str | Path, encoding: str) -> str:
    path = Path(path)
    target = path.with_name(f"{path.stem}-utf8{path.suffix}")
    source, converted = shlex.quote(str(path)), shlex.quote(str(target))
    return f"save it as UTF-8, for instance: iconv -f {encoding} -t UTF-8 {source} > {converted}"
