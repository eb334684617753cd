// A compiled database of libmagic's tests, as file 5.4x writes it: entries of one size, a test being one of level 0
// with those that follow it. Values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

namespace redoubt::scan::magic {

// `struct magic` of file's src/file.h, as its compiled databases have it.
struct Entry {
  uint16_t level = 0;  // 0 begins a test; more: what it goes on with
  uint8_t flags = 0, factor = 0, relation = 0, value_bytes = 0, type = 0, in_type = 0;
  uint8_t in_op = 0, mask_op = 0, condition = 0, factor_op = 0;
  int32_t offset = 0, in_offset = 0;
  uint32_t line = 0;
  uint64_t mask = 0;  // of strings: range and flags
  std::array<char, 128> value{};
  std::array<char, 64> description{};
  std::array<char, 80> mime_type{};
  std::array<char, 72> other_words{};
};
static_assert(sizeof(Entry) == 376 && std::is_trivially_copyable_v<Entry>);

// Entry::flags: on binary contents, on texts; neither: never.
constexpr uint8_t kTried = 0x20 | 0x40;
// An offset that is looked up, relative, or from the end.
constexpr uint8_t kNotFromStart = 0x01 | 0x02 | 0x80;
// Entry::type.
constexpr uint8_t kString = 5, kRegex = 17, kSearch = 20, kIndirect = 41, kUse = 46;

// The first entry of a database.
Entry head_of(size_t tests, size_t names);

// Mapped read-only.
class Database {
 public:
  // None where the file is not of this form.
  static std::optional<Database> map(const std::string& path);

  std::span<const Entry> tests() const;
  // What tests refer to by name.
  std::span<const Entry> names() const;

 private:
  struct Unmap {
    size_t entries = 0;
    void operator()(const Entry* first) const;
  };
  explicit Database(std::span<const Entry> entries) : first_(entries.data(), Unmap{entries.size()}) {}
  std::span<const Entry> entries() const { return {first_.get(), first_.get_deleter().entries}; }

  std::unique_ptr<const Entry, Unmap> first_;
};

// Of the one compiled database among the places of libmagic; empty where there are more, or tests that are not
// compiled.
std::string path_of_database();

}  // namespace redoubt::scan::magic
