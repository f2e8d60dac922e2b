"""Git's pack format, as far as finding a path needs it: commits and trees, whatever the rest unpacks to. Pure."""

import hashlib
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from onboarding.adapters.probes.problem import ProbeProblem

_COMMIT, _TREE, _BLOB, _DELTA = 1, 2, 3, 7
_NAMES = {_COMMIT: b"commit", _TREE: b"tree", 4: b"tag"}
_STEP = 16 * 1024
_OBJECTS = 20_000
_TOO_LARGE = "the repository is too large to look for a path without a clone"
_STRANGE = "the Git server's answer cannot be read"
_ROOT = re.compile(rb"tree ([0-9a-f]{40,64})\n")
_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0")
FOLDER = "40000"
"""Mode of an entry of a tree that is a tree itself."""


@dataclass(slots=True)
class Pack:
    """Commits and trees by their id."""

    hash_name: str
    """``sha1`` or ``sha256``."""
    room: int
    """Bytes that may yet be unpacked."""
    objects: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def root(self, commit: str) -> str:
        """Return the id of a commit's tree; the empty string where this is no commit."""
        kind, content = self.objects.get(commit, (0, b""))
        if kind != _COMMIT:
            return ""
        found = _ROOT.match(content)
        if found is None:
            raise ProbeProblem(_STRANGE)
        return found[1].decode("ascii")

    def entries(self, tree: str) -> dict[str, tuple[str, str]]:
        """Return the entries of a tree by name, each with its mode and id; ProbeProblem where the tree is not here."""
        kind, content = self.objects.get(tree, (0, b""))
        if kind != _TREE:
            raise ProbeProblem("the Git server did not send the folders that were asked for")
        width = hashlib.new(self.hash_name).digest_size
        entries, position = {}, 0
        while position < len(content):
            found = _ENTRY.match(content, position)
            if found is None or found.end() + width > len(content):
                raise ProbeProblem(_STRANGE)
            position = found.end() + width
            entries[found[2].decode("utf-8", "replace")] = (
                found[1].decode("ascii"),
                content[found.end() : position].hex(),
            )
        return entries


def read_pack(data: bytes, *, hash_name: str, limit: int) -> Pack:
    """Return the commits and trees of a pack that unpacks to at most ``limit`` bytes; ProbeProblem otherwise."""
    pack = Pack(hash_name, limit)
    try:
        deltas: dict[str, list[bytes]] = defaultdict(list)
        for kind, base, content in _read(pack, memoryview(data)):
            if kind == _DELTA:
                deltas[base].append(content)
            elif kind in _NAMES:
                _keep(pack, kind, content)
        _resolve(pack, deltas)
    except (ValueError, IndexError, zlib.error):
        raise ProbeProblem(_STRANGE) from None
    return pack


def _read(pack: Pack, data: memoryview) -> Iterator[tuple[int, str, bytes]]:
    """Yield the kind of each object, the id of its base where it is a delta, and its content, but not that of blobs."""
    width = hashlib.new(pack.hash_name).digest_size
    position, count = 12, int.from_bytes(data[8:12], "big")
    if bytes(data[:4]) != b"PACK" or not count:
        raise ValueError(count)
    if count > _OBJECTS:
        raise ProbeProblem(_TOO_LARGE)
    for _ in range(count):
        kind = data[position] >> 4 & 7
        while data[position] & 0x80:
            position += 1
        position += 1
        base = ""
        if kind == _DELTA:
            base = data[position : position + width].hex()
            position += width
        elif kind not in {*_NAMES, _BLOB}:
            raise ValueError(kind)
        content, position = _inflate(pack, data, position, keep=kind != _BLOB)
        yield kind, base, content


def _inflate(pack: Pack, data: memoryview, position: int, *, keep: bool) -> tuple[bytes, int]:
    """Return an object's content, and where the next begins."""
    stream = zlib.decompressobj()
    content = bytearray()
    rest = b""
    while not stream.eof:
        if not rest:
            rest = bytes(data[position : position + _STEP])
            position += len(rest)
            if not rest:
                raise ValueError(position)
        piece = stream.decompress(rest, _STEP)
        rest = stream.unconsumed_tail
        _take(pack, len(piece))
        if keep:
            content += piece
    return bytes(content), position - len(stream.unused_data)


def _take(pack: Pack, size: int) -> None:
    pack.room -= size
    if pack.room < 0:
        raise ProbeProblem(_TOO_LARGE)


def _keep(pack: Pack, kind: int, content: bytes) -> str:
    digest = hashlib.new(pack.hash_name, b"%s %d\0" % (_NAMES[kind], len(content)))
    digest.update(content)
    pack.objects[digest.hexdigest()] = (kind, content)
    return digest.hexdigest()


def _resolve(pack: Pack, deltas: dict[str, list[bytes]]) -> None:
    """Add what is stored as a difference from what we have; differences of blobs find no base and are left."""
    waiting = [base for base in deltas if base in pack.objects]
    while waiting:
        base = waiting.pop()
        kind, content = pack.objects[base]
        for delta in deltas.pop(base, ()):
            made = _keep(pack, kind, _apply(pack, content, delta))
            if made in deltas:
                waiting.append(made)


def _apply(pack: Pack, base: bytes, delta: bytes) -> bytes:
    """Return what a delta makes of its base."""
    expected, position = _number(delta, 0)
    size, position = _number(delta, position)
    _take(pack, size)
    made = bytearray()
    while position < len(delta):
        command = delta[position]
        position += 1
        if command & 0x80:
            values = [0, 0, 0, 0, 0, 0, 0]
            for bit in range(7):
                if command >> bit & 1:
                    values[bit] = delta[position]
                    position += 1
            start, length = int.from_bytes(values[:4], "little"), int.from_bytes(values[4:], "little") or 0x10000
            made += base[start : start + length]
        else:
            made += delta[position : position + command]
            position += command
        if not command or len(made) > size:
            raise ValueError(command)
    if expected != len(base) or len(made) != size:
        raise ValueError(size)
    return bytes(made)


def _number(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, position
