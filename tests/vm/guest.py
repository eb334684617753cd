"""A virtual machine for one command: boots a kernel of kernel.py in QEMU, runs the command in it as root, and brings
back its output, exit code and files. Emulated (TCG), so it needs no privilege and no hardware. A guest takes one processor
of the machine: its own processors take turns, for where they run at the same time, one may still meet a breakpoint that
another wrote into the kernel's code and has taken back (Debian 12's QEMU), and the kernel then panics.

    guest = Guest(Kernel("6.12"))
    guest.add_program("/bin/sh")
    result = guest.run("/bin/sh -c 'uname -r'", limit_s=60)
"""

import dataclasses
import io
import pathlib
import secrets
import shutil
import subprocess
import tarfile
import tempfile
import time

from initramfs import Initramfs

BUSYBOX = "/bin/busybox"
HERE = pathlib.Path(__file__).resolve().parent
LOOK_S = 0.02
# Devices that the guest cannot do without; modules in some kernels, part of others.
MODULES = ("virtio_pci", "virtio_console")
OUTPUT_BYTES_MAX = 64 << 20
RESULT_BYTES_MAX = 256 << 20

# What costs time under emulation and serves no test is off; see each in the kernel's kernel-parameters.txt. The emulated
# TSC cannot be calibrated on a busy machine; without it the clock is the HPET, which is right. A program that is taken
# away waits for grace periods, which are hurried.
ARGUMENTS = (
    "console=ttyS0 quiet loglevel=4 panic=-1 reboot=t random.trust_cpu=on cryptomgr.notests mitigations=off nokaslr"
    " tsc=unstable no_timer_check audit=0 apparmor=0 nowatchdog i8042.noaux i8042.nokbd i8042.nopnp"
    " rcupdate.rcu_expedited=1"
)


@dataclasses.dataclass
class Result:
    output: str  # standard output and error of the command
    status: int  # its exit code
    files: dict  # path without the first slash → bytes
    boot_and_run_s: float


class GuestFailure(Exception):
    """The machine did not come to the end of the command. Says where the output of console and command is kept."""


class Guest:
    def __init__(self, kernel, memory_mib=768, processors=2, modules=(), arguments="", counts_instructions=False):
        self._kernel = kernel
        self._memory_mib = memory_mib
        self._processors = processors
        self._modules = (*MODULES, *modules)
        self._arguments = arguments
        # A nanosecond of the guest is then an instruction, and a wait takes none of the machine's time.
        self._clock = ["-icount", "shift=0,sleep=off"] if counts_instructions else []
        self._files = Initramfs()

    def add_program(self, path):
        """A program of this machine, with the libraries that it needs, under the same path."""
        self._files.add_file(path)

    def add_bytes(self, path, content, mode=0o644):
        self._files.add_bytes(path, content, mode)

    def run(self, command, limit_s, collect=()):
        """Runs the shell text `command` (by busybox sh); `collect` are patterns of files to bring back."""
        work = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-guest-"))
        token = secrets.token_hex(16)
        self._write_initramfs(work / "initramfs", command, collect, token)
        result = self._boot(work, token.encode(), limit_s)
        shutil.rmtree(work)
        return result

    def _write_initramfs(self, target, command, collect, token):
        files = self._files
        files.add_bytes("/init", (HERE / "init.sh").read_bytes(), 0o755)
        files.add_bytes("/.vm/busybox", pathlib.Path(BUSYBOX).read_bytes(), 0o755)
        files.add_bytes("/.vm/bin/cgroups", (HERE / "cgroups.sh").read_bytes(), 0o755)
        files.add_bytes("/.vm/run", command.encode() + b"\n")
        files.add_bytes("/.vm/token", token.encode() + b"\n")
        files.add_bytes("/.vm/collect", "\n".join(collect).encode())
        modules = self._kernel.modules(self._modules)
        for name, code in modules:
            files.add_bytes(f"/.vm/modules/{name}.ko", code)
        files.add_bytes("/.vm/modules/order", "".join(name + "\n" for name, _ in modules).encode())
        files.write(target)

    def _boot(self, work, token, limit_s):
        started = time.monotonic()
        with open(work / "qemu", "wb") as complaints, subprocess.Popen(
                self._qemu(work), stdin=subprocess.DEVNULL, stdout=complaints, stderr=complaints) as machine:
            try:
                while True:
                    output, result = _read(work / "output"), _read(work / "result")
                    if output.endswith(token) and token + b" " in result and result.endswith(b"\n"):
                        break
                    if machine.poll() is not None:
                        raise GuestFailure(f"the guest ended early, see {work}:\n{_last_words(work)}")
                    if time.monotonic() - started > limit_s:
                        raise GuestFailure(f"the guest took over {limit_s} s, see {work}:\n{_last_words(work)}")
                    if len(output) > OUTPUT_BYTES_MAX or len(result) > RESULT_BYTES_MAX:
                        raise GuestFailure(f"the guest writes too much, see {work}")
                    time.sleep(LOOK_S)
            finally:
                machine.kill()
        archive, _, status = result.rpartition(token + b" ")
        return Result(output=output.removesuffix(token).decode(errors="replace"), status=int(status),
                      files=_unpack(archive), boot_and_run_s=time.monotonic() - started)

    def _qemu(self, work):
        ports = []
        for name in ("output", "result"):
            ports += ["-chardev", f"file,id={name},path={work / name}",
                      "-device", f"virtserialport,chardev={name},name={name}"]
        # Ends with this program, however that ends.
        return ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-M", "q35",
                "-accel", "tcg,thread=single", "-cpu", "max", *self._clock,
                "-smp", str(self._processors), "-m", str(self._memory_mib),
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-kernel", self._kernel.vmlinux, "-initrd", work / "initramfs",
                "-append", f"{ARGUMENTS} {self._arguments}", "-serial", f"file:{work / 'console'}",
                "-device", "virtio-serial-pci", *ports]


def _read(path):
    return path.read_bytes() if path.exists() else b""


def _last_words(work):
    return "\n".join(f"--- {name}\n{_read(work / name)[-4000:].decode(errors='replace')}"
                     for name in ("qemu", "console", "output"))


def _unpack(archive):
    if not archive:
        return {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
        return {entry.name: tree.extractfile(entry).read() for entry in tree if entry.isfile()}
