"""The file system of a guest: an initramfs (cpio, "newc") put together from files of this machine. Programs bring the
shared libraries that ldd names; links on the way to a file come along, so paths mean in the guest what they mean here.
"""

import os
import pathlib
import re
import stat
import subprocess
import tempfile

ELF = b"\x7fELF"
LINKS_MAX = 40  # on the way to one file, as in the kernel


class Initramfs:
    def __init__(self):
        self._entries = {}  # path without the first slash → (mode, bytes)

    def add_bytes(self, path, content, mode=0o644):
        self._parents(path)
        self._entries[path.lstrip("/")] = (stat.S_IFREG | mode, content)

    def add_directory(self, path, mode=0o755):
        self._parents(path)
        self._entries.setdefault(path.lstrip("/"), (stat.S_IFDIR | mode, b""))

    def add_file(self, path):
        """A file of this machine under its own name, and where it is a program, its libraries."""
        real = self._follow(path)
        if real.lstrip("/") in self._entries:
            return
        content = pathlib.Path(real).read_bytes()
        mode = os.stat(real).st_mode & 0o777
        is_program = content.startswith(ELF)
        self.add_bytes(real, _without_debug_sections(real) if is_program else content, mode)
        if is_program:
            for library in _libraries(real):
                self.add_file(library)

    def write(self, target):
        with open(target, "wb") as out:
            for number, (path, (mode, content)) in enumerate(sorted(self._entries.items()), start=1):
                _write_entry(out, number, path, mode, content)
            _write_entry(out, 0, "TRAILER!!!", 0, b"")

    def _parents(self, path):
        for parent in reversed(pathlib.PurePosixPath(path).parents):
            if str(parent) != "/":
                self._entries.setdefault(str(parent).lstrip("/"), (stat.S_IFDIR | 0o755, b""))

    def _follow(self, path):
        """Adds the links on the way to `path`; where it really is."""
        for _ in range(LINKS_MAX):
            link = next((p for p in (*reversed(pathlib.Path(path).parents), pathlib.Path(path)) if p.is_symlink()), None)
            if link is None:
                return os.path.normpath(path)
            target = os.readlink(link)
            self._parents(str(link))
            self._entries[str(link).lstrip("/")] = (stat.S_IFLNK | 0o777, target.encode())
            path = os.path.normpath(link.parent / target / pathlib.Path(path).relative_to(link))
        raise OSError(f"too many links on the way to {path}")


def _libraries(program):
    listed = subprocess.run(["ldd", program], capture_output=True, text=True)
    if "not found" in listed.stdout:
        raise FileNotFoundError(f"{program} lacks a library:\n{listed.stdout}")
    return re.findall(r"(/\S+) \(0x", listed.stdout)


def _without_debug_sections(program):
    with tempfile.NamedTemporaryFile() as stripped:
        done = subprocess.run(["strip", "--strip-debug", "-o", stripped.name, program], capture_output=True)
        return pathlib.Path(stripped.name if done.returncode == 0 else program).read_bytes()


def _write_entry(out, number, path, mode, content):
    name = path.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
    out.write(b"070701" + b"".join(b"%08x" % field for field in fields))
    out.write(name + b"\0" * (-(110 + len(name)) % 4))
    out.write(content + b"\0" * (-len(content) % 4))
