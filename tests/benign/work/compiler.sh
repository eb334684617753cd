#!/bin/bash
# A developer's build: configure, make, check, install into a staging folder, pack; then the same sources by CMake and Ninja.
set -euo pipefail
[ "$(id -u)" != 0 ] || exec runuser -u dev -- bash "$0" "$@"
cd "$(mktemp -d /home/dev/build.XXXXXX)"
trap 'rm -rf "$PWD"' EXIT
export HOME=/home/dev

mkdir src
for unit in $(seq 1 12); do
  cat >"src/part$unit.cc" <<SOURCE
#include <map>
#include <string>
#include <vector>
int part$unit(int n) {
  std::map<std::string, std::vector<int>> m;
  for (int i = 0; i < n; ++i) m[std::to_string(i % $unit + 1)].push_back(i);
  return static_cast<int>(m.size());
}
SOURCE
  cat >"src/table$unit.c" <<SOURCE
#include <stdio.h>
#include <string.h>
int table$unit(const char* s) { char b[64]; snprintf(b, sizeof b, "%s%d", s, $unit); return (int)strlen(b); }
SOURCE
done
{
  for unit in $(seq 1 12); do echo "int part$unit(int); extern \"C\" int table$unit(const char*);"; done
  echo 'int main() { int n = 0;'
  for unit in $(seq 1 12); do echo "n += part$unit(10) + table$unit(\"x\");"; done
  echo 'return n > 0 ? 0 : 1; }'
} >src/main.cc
cat >configure <<'SCRIPT'
#!/bin/sh
# Asks the compiler what it has, in the way of configure scripts.
for header in stdio.h stdlib.h unistd.h sys/epoll.h sys/inotify.h windows.h; do
  printf 'checking for %s... ' "$header"
  echo "#include <$header>
int main(void) { return 0; }" >conftest.c
  if ${CC:-cc} -o conftest conftest.c 2>/dev/null && ./conftest; then
    echo yes
    echo "#define HAVE_$(echo "$header" | tr 'a-z./' 'A-Z__') 1" >>config.h
  else
    echo no
  fi
  rm -f conftest conftest.c
done
for tool in sed awk grep ranlib strip install; do printf 'checking for %s... ' "$tool"; command -v "$tool" || echo no; done
expr "$(uname -s)" : Linux >/dev/null && echo "#define OS \"$(uname -sm)\"" >>config.h
sed "s,@CXX@,${CXX:-g++}," Makefile.in >Makefile
SCRIPT
cat >Makefile.in <<'MAKE'
CXX = @CXX@
SOURCES = $(wildcard src/*.cc src/*.c)
OBJECTS = $(addsuffix .o,$(basename $(SOURCES)))
program: libparts.a src/main.o
	$(CXX) -o $@ src/main.o libparts.a
libparts.a: $(filter-out src/main.o,$(OBJECTS))
	$(AR) rcs $@ $^
check: program
	./program
install: program
	install -D -s -m 755 program $(DESTDIR)/usr/local/bin/program
clean:
	rm -f src/*.o program libparts.a
MAKE
cat >CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.20)
project(program C CXX)
file(GLOB sources src/*.cc src/*.c)
add_executable(program ${sources})
enable_testing()
add_test(NAME runs COMMAND program)
CMAKE
chmod +x configure
git init -q .
git add -A
git -c user.name=dev -c user.email=dev@example.org commit -q -m 'program: first version'
./configure
make -j2
make check
make install DESTDIR="$PWD/staging"
tar -czf program-1.0.tar.gz -C staging .
make clean
cmake -S . -B out -G Ninja
ninja -C out -j2
(cd out && ctest)
nm -C out/program | grep -c part
objdump -h out/program
git status --short
git diff --stat
sleep 2
