"""What is wrong with ZIP archives: documents and data sets come as such."""

import lzma
import struct
import zipfile
import zlib

ZIP_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(OSError, EOFError, KeyError, ValueError, OverflowError, NotImplementedError, RuntimeError),
)
"""What zipfile raises on archives that are not as they should be.

`NotImplementedError`: they are packed in a way that it does not know. `OSError`: what bzip2 says of damage.
"""
