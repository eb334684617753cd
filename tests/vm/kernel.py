#!/usr/bin/env python3
"""The kernels that guests boot: packages of the distribution, unpacked and never installed: kernel.py PACKAGE SERIES.

unpack() makes of a package what guest.py needs: `vmlinux`, the kernel as an ELF file (QEMU starts it without the boot
loader's stages and without decompressing it in the guest, which costs a second under emulation), and `modules/`.
"""

import lzma
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KERNELS = ROOT / ".cache" / "kernels"

# Offsets in the header of a bzImage (Linux Documentation/arch/x86/boot.rst).
SETUP_SECTORS = 0x1F1
PAYLOAD_OFFSET = 0x248
SECTOR_BYTES = 512
# Behind the payload stands its size when unpacked.
SIZE_BYTES = 4

UNPACKERS = (
    (b"\x02\x21\x4c\x18", ["lz4", "-dc"]),  # LZ4, legacy frame
    (b"\x28\xb5\x2f\xfd", ["zstd", "-dc"]),
    (b"\x1f\x8b", ["gzip", "-dc"]),
    (b"\xfd7zXZ", ["xz", "-dc"]),
)


class Kernel:
    """One unpacked kernel. `series` is the name of its folder, such as 6.12; `release` what uname says."""

    def __init__(self, series):
        self.series = series
        self.directory = KERNELS / series
        if not (self.directory / "release").is_file():
            raise FileNotFoundError(f"no kernel {series} under {KERNELS}: run ./do setup test")
        self.release = (self.directory / "release").read_text().strip()
        self.vmlinux = self.directory / "vmlinux"
        self._modules = {}
        for path in (self.directory / "modules").rglob("*.ko*"):
            self._modules[path.name.split(".")[0].replace("-", "_")] = path

    def modules(self, wanted):
        """Those of `wanted` that are no part of the kernel itself, and what they need, in the order in which they load:
        a list of (name, bytes)."""
        loaded = {}
        for name in wanted:
            self._load(name, loaded)
        return list(loaded.items())

    def _load(self, name, loaded):
        if name in loaded or name not in self._modules:
            return
        code = self._modules[name].read_bytes()
        if self._modules[name].suffix == ".xz":
            code = lzma.decompress(code)
        for needed in _depends(code):
            self._load(needed, loaded)
        loaded[name] = code


def _depends(code):
    begin = code.find(b"\0depends=")
    if begin < 0:
        return []
    text = code[begin + len(b"\0depends="): code.index(b"\0", begin + 1)].decode()
    return [name.replace("-", "_") for name in text.split(",") if name]


def vmlinux_of(image):
    """The ELF file inside the bytes of a bzImage."""
    payload_offset, payload_bytes = struct.unpack_from("<II", image, PAYLOAD_OFFSET)
    begin = (image[SETUP_SECTORS] + 1) * SECTOR_BYTES + payload_offset
    payload = image[begin: begin + payload_bytes - SIZE_BYTES]
    for magic, command in UNPACKERS:
        if payload.startswith(magic):
            return subprocess.run(command, input=payload, stdout=subprocess.PIPE, check=True).stdout
    raise ValueError(f"kernel payload of an unknown kind: {payload[:6].hex()}")


def unpack(package, series):
    """Unpacks the .deb `package` into the folder of `series`, whole or not at all."""
    KERNELS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KERNELS) as work:
        tree = pathlib.Path(work) / "tree"
        subprocess.run(["dpkg-deb", "-x", package, tree], check=True)
        image = next((tree / "boot").glob("vmlinuz-*"))
        release = image.name.removeprefix("vmlinuz-")
        made = pathlib.Path(work) / "made"
        made.mkdir()
        (made / "vmlinux").write_bytes(vmlinux_of(image.read_bytes()))
        modules = next(path for path in (tree / "usr/lib/modules", tree / "lib/modules") if path.is_dir())
        (modules / release / "kernel").rename(made / "modules")
        (made / "release").write_text(release + "\n")
        target = KERNELS / series
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)


if __name__ == "__main__":
    unpack(*sys.argv[1:])
