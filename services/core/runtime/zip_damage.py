"""What zipfile raises on archives that are not as they should be: documents, databases and backups come as such."""

import lzma
import struct
import zipfile
import zlib

ZIP_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(OSError, EOFError, KeyError, ValueError, OverflowError, NotImplementedError, RuntimeError),
)
"""`NotImplementedError`: zipfile raises it for a way of packing, or a kind of archive, that it does not know; nothing
of ours is left to be written. `RuntimeError`: a password is needed. `OSError`: what bzip2 says of damage.
"""
