"""What the executed chapters depend on beside their own code cells."""

import hashlib
from pathlib import Path

CACHE_ROOT = Path('_build/cache')


def digest(root, paths):
    """Hex digest of names and bytes of the given files, whatever their order."""
    sha = hashlib.sha256()
    for path in sorted(paths):
        sha.update(path.relative_to(root).as_posix().encode() + b'\0')
        sha.update(hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()[:16]


def library_key(root):
    """Digest of d2lrec/ (data addresses and checksums included) and requirements.txt."""
    root = Path(root)
    return digest(root, [*(root / 'd2lrec').rglob('*.py'), root / 'requirements.txt'])


def cache_folder(root):
    """Folder of executed chapters, one per state of the library; the editions share it."""
    return Path(root).resolve() / CACHE_ROOT / library_key(root)
