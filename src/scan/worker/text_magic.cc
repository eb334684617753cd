#include "scan/worker/text_magic.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "base/file.h"

namespace redoubt::scan {

namespace {

constexpr uint32_t kMagicOfDatabase = 0xf11e041c;
constexpr uint32_t kVersion = 18;  // of file 5.4x

// `struct magic` of file's src/file.h, as its compiled databases have it.
struct Entry {
  uint16_t level = 0;  // 0 begins a test; more: what it goes on with
  uint8_t flags = 0, factor = 0, relation = 0, value_bytes = 0, type = 0, in_type = 0;
  uint8_t in_op = 0, mask_op = 0, condition = 0, factor_op = 0;
  int32_t offset = 0, in_offset = 0;
  uint32_t line = 0;
  uint64_t mask = 0;  // of strings: range and flags
  std::array<char, 128> value{};
  std::array<char, 216> words{};
};
static_assert(sizeof(Entry) == 376 && std::is_trivially_copyable_v<Entry>);

// The first entry of a database.
struct Head {
  uint32_t magic = 0, version = 0, tests = 0, names = 0;
  std::array<char, sizeof(Entry) - 4 * sizeof(uint32_t)> unused{};
};

// A compiled database that stays mapped: workers share its pages.
class Database {
 public:
  static std::optional<Database> map(const std::string& path) {
    const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info{};
    if (!fd || fstat(fd.get(), &info) != 0 || info.st_size < static_cast<off_t>(sizeof(Entry))) return std::nullopt;
    const auto bytes = static_cast<size_t>(info.st_size);
    void* data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (data == MAP_FAILED) return std::nullopt;
    Database database(std::span(static_cast<const Entry*>(data), bytes / sizeof(Entry)));
    const Head head = database.head();
    const bool is_known = head.magic == kMagicOfDatabase && head.version == kVersion;
    const size_t entries = size_t{1} + head.tests + head.names;
    if (!is_known || bytes != entries * sizeof(Entry)) return std::nullopt;
    return database;
  }

  std::span<const Entry> tests() const { return entries().subspan(1, head().tests); }
  // What tests refer to by name.
  std::span<const Entry> names() const { return entries().subspan(size_t{1} + head().tests); }

 private:
  struct Unmap {
    size_t entries = 0;
    void operator()(const Entry* first) const { munmap(const_cast<Entry*>(first), entries * sizeof(Entry)); }
  };
  explicit Database(std::span<const Entry> entries) : first_(entries.data(), Unmap{entries.size()}) {}
  std::span<const Entry> entries() const { return {first_.get(), first_.get_deleter().entries}; }
  Head head() const { return std::bit_cast<Head>(*first_); }

  std::unique_ptr<const Entry, Unmap> first_;
};

Entry head_of(size_t tests, size_t names) {
  return std::bit_cast<Entry>(
      Head{kMagicOfDatabase, kVersion, static_cast<uint32_t>(tests), static_cast<uint32_t>(names)});
}

constexpr uint8_t kNotFromStart = 0x01 | 0x02 | 0x80;  // an offset that is looked up, relative, or from the end
constexpr uint8_t kString = 5, kSearch = 20;

enum class Order { as_stored, reversed };
struct Number {
  uint8_t type;
  size_t bytes;
  Order order;
};
constexpr std::array<Number, 10> kNumbers = {{{1, 1, Order::as_stored},
                                              {2, 2, Order::as_stored},
                                              {4, 4, Order::as_stored},
                                              {7, 2, Order::reversed},
                                              {8, 4, Order::reversed},
                                              {10, 2, Order::as_stored},
                                              {11, 4, Order::as_stored},
                                              {24, 8, Order::as_stored},
                                              {25, 8, Order::as_stored},
                                              {26, 8, Order::reversed}}};

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool is_control(char c) { return (static_cast<unsigned char>(c) < ' ' && !is_blank(c)) || c == '\x7f'; }

// Bytes that a content must have next to each other to pass: letters in either case, blanks or none. Empty: not known.
std::string literal_of(const Entry& test) {
  if (test.relation != '=' || test.condition != 0) return "";
  if (test.type == kString || test.type == kSearch) return {test.value.data(), test.value_bytes};
  const auto number =
      std::find_if(kNumbers.begin(), kNumbers.end(), [&](const Number& each) { return each.type == test.type; });
  if (number == kNumbers.end() || test.mask != 0 || test.mask_op != 0) return "";
  std::string bytes(test.value.data(), number->bytes);
  if (number->order == Order::reversed) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

// Of markup and of programs, whose tests search the whole of a text and are the dear ones.
constexpr std::string_view kMarks = "<=";
constexpr size_t kFirstKinds = 4;

struct TextKind {
  size_t first = 0;  // of its first character, the same for both cases of a letter
  enum class Marks { none, some } marks = Marks::some;
  size_t index() const { return 2 * first + (marks == Marks::some ? 1 : 0); }
};
constexpr size_t kTextKinds = 2 * kFirstKinds;

size_t first_kind(char c) { return static_cast<unsigned char>(c) % kFirstKinds; }

// Only texts that libmagic takes as they stand: it makes UTF-8 of others before it looks again.
std::optional<TextKind> kind_of(std::string_view text) {
  if (text.empty() || !is_ascii(text.front()) || std::any_of(text.begin(), text.end(), is_control)) return std::nullopt;
  const bool has_marks = text.find_first_of(kMarks) != std::string_view::npos;
  return TextKind{first_kind(text.front()), has_marks ? TextKind::Marks::some : TextKind::Marks::none};
}

bool may_pass(const Entry& test, const TextKind& kind) {
  const std::string literal = literal_of(test);
  if (literal.empty()) return true;
  if (std::any_of(literal.begin(), literal.end(), is_control)) return false;
  if (kind.marks == TextKind::Marks::none && literal.find_first_of(kMarks) != std::string::npos) return false;
  const bool at_start = test.type != kSearch && test.offset == 0 && (test.flags & kNotFromStart) == 0;
  const char first = literal.front();
  return !at_start || is_blank(first) || (is_ascii(first) && first_kind(first) == kind.first);
}

class LibMagicForTexts final : public TextMagic {
 public:
  LibMagicForTexts(MagicHandle (*open)(), Database database) : open_(open), database_(std::move(database)) {}

  magic_t tests_for(std::string_view head) override {
    const auto kind = kind_of(head);
    if (!kind) return nullptr;
    Subset& subset = subsets_[kind->index()];
    if (subset.tests.empty()) fill(subset, *kind);
    return subset.magic.get();
  }

 private:
  struct Subset {
    std::vector<Entry> tests;
    MagicHandle magic;  // reads them, and the names
  };

  void fill(Subset& subset, const TextKind& kind) {
    const auto names = database_.names();
    if (names_.empty()) {
      names_ = {head_of(0, names.size())};
      names_.insert(names_.end(), names.begin(), names.end());
    }
    bool passes = false;
    subset.tests.reserve(1 + database_.tests().size());
    subset.tests.emplace_back();
    for (const Entry& entry : database_.tests()) {
      if (entry.level == 0) passes = may_pass(entry, kind);
      if (passes) subset.tests.push_back(entry);
    }
    subset.tests.front() = head_of(subset.tests.size() - 1, 0);
    std::array<void*, 2> buffers = {subset.tests.data(), names_.data()};
    std::array<size_t, 2> sizes = {subset.tests.size() * sizeof(Entry), names_.size() * sizeof(Entry)};
    subset.magic = open_();
    const bool loaded =
        subset.magic && magic_load_buffers(subset.magic.get(), buffers.data(), sizes.data(), buffers.size()) == 0;
    if (!loaded) subset.magic.reset();
  }

  MagicHandle (*open_)();
  const Database database_;
  std::vector<Entry> names_;  // a database of these alone
  std::array<Subset, kTextKinds> subsets_;
};

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

// Of the one compiled database among the places of libmagic; empty where there are more, or tests that are not
// compiled.
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

}  // namespace

std::unique_ptr<TextMagic> open_text_magic(MagicHandle (*open)()) {
  auto database = Database::map(path_of_database());
  return database ? std::make_unique<LibMagicForTexts>(open, *std::move(database)) : nullptr;
}

}  // namespace redoubt::scan
