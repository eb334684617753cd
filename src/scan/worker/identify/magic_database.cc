#include "scan/worker/identify/magic_database.h"

#include <fcntl.h>
#include <magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <bit>

#include "base/file.h"

namespace redoubt::scan::magic {

namespace {

constexpr uint32_t kMagicOfDatabase = 0xf11e041c;
constexpr uint32_t kVersion = 18;  // of file 5.4x

struct Head {
  uint32_t magic = 0, version = 0, tests = 0, names = 0;
  std::array<char, sizeof(Entry) - 4 * sizeof(uint32_t)> unused{};
};

Head head_in(std::span<const Entry> entries) { return std::bit_cast<Head>(entries.front()); }

// Where somebody wrote tests of his own, there are more than the one database.
constexpr size_t kTextBytesMax = size_t{64} << 10;
bool says_something(const std::string& path) {
  const auto read = base::read_file(path, kTextBytesMax);
  if (!read) return true;
  const std::string& text = *read;
  for (size_t line = 0; line < text.size(); line = std::min(text.find('\n', line), text.size() - 1) + 1) {
    if (text[line] != '#' && text[line] != '\n') return true;
  }
  return false;
}

}  // namespace

Entry head_of(size_t tests, size_t names) {
  return std::bit_cast<Entry>(
      Head{kMagicOfDatabase, kVersion, static_cast<uint32_t>(tests), static_cast<uint32_t>(names)});
}

std::optional<Database> Database::map(const std::string& path) {
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd || fstat(fd.get(), &info) != 0 || info.st_size < static_cast<off_t>(sizeof(Entry))) return std::nullopt;
  const auto bytes = static_cast<size_t>(info.st_size);
  void* data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return std::nullopt;
  Database database(std::span(static_cast<const Entry*>(data), bytes / sizeof(Entry)));
  const Head head = head_in(database.entries());
  const bool is_known = head.magic == kMagicOfDatabase && head.version == kVersion;
  const size_t entries = size_t{1} + head.tests + head.names;
  if (!is_known || bytes != entries * sizeof(Entry)) return std::nullopt;
  return database;
}

std::span<const Entry> Database::tests() const { return entries().subspan(1, head_in(entries()).tests); }

std::span<const Entry> Database::names() const { return entries().subspan(size_t{1} + head_in(entries()).tests); }

void Database::Unmap::operator()(const Entry* first) const {
  munmap(const_cast<Entry*>(first), entries * sizeof(Entry));
}

std::string path_of_database() {
  std::string_view places = magic_getpath(nullptr, 0);
  std::string found;
  while (!places.empty()) {
    const std::string place(places.substr(0, places.find(':')));
    places.remove_prefix(std::min(places.size(), place.size() + 1));
    const std::string compiled = place + ".mgc";
    const bool is_compiled = access(compiled.c_str(), R_OK) == 0;
    if (is_compiled ? !found.empty() : access(place.c_str(), F_OK) == 0 && says_something(place)) return "";
    if (is_compiled) found = compiled;
  }
  return found;
}

}  // namespace redoubt::scan::magic
