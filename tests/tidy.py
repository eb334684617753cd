#!/usr/bin/env python3
"""The house rules of the tree as a test: which module sees which, who owns heavy headers, how long things are, what has
no owner. Prints one line a finding and exits 1 if there is any."""

import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What each module may include besides itself; the floors of docs/architecture.md.
MAY_INCLUDE = {
    "base": set(),
    "event": {"base"},
    "gateway": {"base"},
    "query": {"base", "event"},
    "sensor": {"base", "event"},
    "link": {"base", "event"},
    "scan": {"base", "event"},
    "rules": {"base", "event", "query"},
    "store": {"base", "event", "query"},
    "central": {"base", "event", "query", "link", "scan", "rules", "store"},
    "apps": {"base", "event", "gateway", "query", "sensor", "link", "scan", "rules", "store", "central"},
}

# Headers that cost seconds a file, or tie a caller to a library: never in a .h.
HEAVY = re.compile(
    r'#include [<"](boost/|nlohmann/|spdlog/|CLI/|grpc|yaml-cpp/|soci/|yara|duckdb|re2/|bpf/|seccomp|argon2|openssl/|sqlite3|zstd|microhttpd)'
)

FORBIDDEN_NAMES = {"utils", "util", "common", "helper", "helpers", "manager", "misc"}
FUNCTION_LINES_MAX = 80
LONG_FUNCTION_LINES = 60
LONG_FUNCTION_SHARE_MAX = 0.03
HEADER_LINES_MAX = 260
HEADER_MEDIAN_MAX = 75
SOURCE_LINES_MAX = 700

findings = []


def complain(path, line, message):
    findings.append(f"{path.relative_to(ROOT)}:{line}: {message}")


def tracked_files():
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                         capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in out.split("\0") if name and (ROOT / name).is_file()]


def check_names(files):
    for path in files:
        for part in path.relative_to(ROOT).parts:
            if part.split(".")[0].lower() in FORBIDDEN_NAMES:
                complain(path, 1, f"'{part}' says nothing of what it holds")


def owns_heavy(path, line):
    """BPF headers are C for another machine; a header of a test serves its .cc files alone; json_fwd is light."""
    return "/sensor/bpf/" in str(path) or "_test_" in path.name or "json_fwd" in line


def check_includes(files):
    for path in files:
        parts = path.relative_to(ROOT).parts
        if parts[0] != "src" or path.suffix not in {".h", ".cc"}:
            continue
        module = parts[1]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if path.suffix == ".h" and HEAVY.search(line) and not owns_heavy(path, line):
                complain(path, number, "a heavy header belongs in the .cc that owns it")
            found = re.match(r'#include "([a-z]+)/', line)
            if not found or found[1] not in MAY_INCLUDE:
                continue
            seen = found[1]
            if seen != module and seen not in MAY_INCLUDE.get(module, set()):
                complain(path, number, f"{module} may not see {seen}")


def strip_noise(text):
    """The source with comments, strings and character literals blanked, line structure kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: "\n" * m[0].count("\n"), text)


def functions(text):
    """(first line, lines) of every function body outside classes' declarations; by braces, not by a parser."""
    depth_stack = []
    found = []
    head = ""
    line = 1
    for char in strip_noise(text):
        if char == "\n":
            line += 1
        if char == "{":
            in_function = any(kind == "function" for kind, _ in depth_stack)
            words = head.strip()
            is_scope = re.match(r"^(inline\s+)?(namespace|class|struct|union|enum|extern)\b", words) or words.startswith("template") and re.search(r"\b(class|struct)\s+\w+[^()]*$", words)
            kind = "scope" if in_function or is_scope or ")" not in words else "function"
            depth_stack.append((kind, line))
            head = ""
        elif char == "}":
            if depth_stack:
                kind, start = depth_stack.pop()
                if kind == "function":
                    found.append((start, line - start + 1))
            head = ""
        elif char == ";":
            head = ""
        else:
            head += char
    return found


def check_lengths(files):
    headers = []
    lengths = []
    for path in files:
        if path.relative_to(ROOT).parts[0] != "src" or path.suffix not in {".h", ".cc"}:
            continue
        text = path.read_text()
        lines = text.count("\n")
        is_test = path.name.endswith("_test.cc")
        if path.suffix == ".h":
            headers.append(lines)
            if lines > HEADER_LINES_MAX:
                complain(path, 1, f"{lines} lines are too many for a header")
        elif lines > SOURCE_LINES_MAX and not is_test:
            complain(path, 1, f"{lines} lines: split by what changes together")
        if is_test:
            continue
        for start, length in functions(text):
            lengths.append(length)
            if length > FUNCTION_LINES_MAX:
                complain(path, start, f"a function of {length} lines")
    if headers and statistics.median(headers) > HEADER_MEDIAN_MAX:
        findings.append(f"src: the median header has {statistics.median(headers)} lines")
    long_ones = sum(1 for length in lengths if length > LONG_FUNCTION_LINES)
    if lengths and long_ones / len(lengths) > LONG_FUNCTION_SHARE_MAX:
        findings.append(f"src: {long_ones} of {len(lengths)} functions have over {LONG_FUNCTION_LINES} lines")


def check_text(files):
    for path in files:
        if path.suffix in {".png", ".yrc", ".ico", ".woff2"} or "corpus" in path.parts:
            continue
        relative = path.relative_to(ROOT)
        if relative == pathlib.Path("tests/tidy.py"):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX)\b(?!\()", line) and path.suffix in {".h", ".cc", ".c", ".ts", ".tsx", ".py", ".sh"} and "mkdtemp" not in line and "XXXXXX" not in line:
                complain(path, number, "a to-do without a reason in brackets")
            if re.search(r"registry\.npmjs|deb\.debian\.org|pypi\.org|/work/(main|shared)", line):
                complain(path, number, "an address of a registry or a path of one machine")
            if path.suffix in {".h", ".cc"} and re.match(r"\s*using namespace", line):
                complain(path, number, "using namespace")
            if path.suffix == ".h" and re.match(r"\s*(?:virtual\s+)?\S.*\(.*\bbool [a-z_]+[,)=]", line) and "operator" not in line and "(bool value)" not in line:
                complain(path, number, "a bool parameter says nothing at the call: use an enum of two")


def check_owners(files):
    sources = [p for p in files if p.suffix in {".h", ".cc", ".c", ".def", ".py", ".txt"} or p.name == "CMakeLists.txt"]
    everything = "\n".join(p.read_text() for p in sources)
    for path in files:
        parts = path.relative_to(ROOT).parts
        if parts[0] == "src" and path.suffix in {".h", ".def"} and path.name != "fwd.h":
            name = "/".join(parts[1:])
            if f'"{name}"' not in everything and f'"{path.name}"' not in everything:
                complain(path, 1, "nothing includes it")
        if parts[0] == "fuzz" and path.suffix == ".cc" and path.stem != "replay":
            if f"redoubt_fuzz({path.stem} " not in everything:
                complain(path, 1, "a fuzz target that is not registered")
        if parts[:2] == ("tests", "golden") and path.suffix == ".in" and not path.with_suffix(".out").is_file():
            complain(path, 1, "a golden input without its .out (REDOUBT_ACCEPT=1 writes it)")
    for module in MAY_INCLUDE:
        if module != "apps" and not (ROOT / "src" / module / "README.md").is_file():
            findings.append(f"src/{module}: no README.md")


def main():
    files = tracked_files()
    check_names(files)
    check_includes(files)
    check_lengths(files)
    check_text(files)
    check_owners(files)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
