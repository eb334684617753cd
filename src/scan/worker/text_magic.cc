#include "scan/worker/text_magic.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cctype>
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
constexpr uint8_t kString = 5, kRegex = 17, kSearch = 20;

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

// Takes a bracket expression off its rest; the character, where it stands for one alone.
std::optional<char> take_bracket(std::string_view& rest) {
  size_t end = rest.starts_with('^') ? 1 : 0;
  end += rest.substr(end).starts_with(']') ? 1 : 0;
  while (end < rest.size() && rest[end] != ']')
    end = rest.substr(end).starts_with("[:") ? rest.find(":]", end) + 2 : end + 1;
  const std::string_view in = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return in.size() == 1 ? std::optional(in.front()) : std::nullopt;
}

// Characters that whatever matches has, as far as a plain reading of the regular expression tells: up to its first
// group.
std::string required_by(std::string_view expression) {
  std::string required;
  std::string_view rest = expression.substr(0, expression.find('\0'));
  if (rest.find('|') != std::string_view::npos) return "";
  while (!rest.empty() && rest.front() != '(') {
    std::optional<char> atom = rest.front();
    rest.remove_prefix(1);
    if (atom == '[') {
      atom = take_bracket(rest);
    } else if (atom == '\\' && !rest.empty()) {
      atom = std::ispunct(static_cast<unsigned char>(rest.front())) != 0 ? std::optional(rest.front()) : std::nullopt;
      rest.remove_prefix(1);
    } else if (std::string_view(".^$*+?{}").find(*atom) != std::string_view::npos) {
      atom.reset();
    }
    const bool may_be_missing = !rest.empty() && std::string_view("*?{").find(rest.front()) != std::string_view::npos;
    if (may_be_missing && rest.front() == '{') rest.remove_prefix(std::min(rest.find('}'), rest.size()));
    if (atom && !may_be_missing) required += *atom;
  }
  return required;
}

// Bytes that a content must have to pass. Of strings letters may be in either case, blanks missing.
struct Literal {
  std::string bytes;  // empty: not known
  std::string masks;  // of bits that count
};

Literal literal_of(const Entry& test) {
  if (test.relation != '=' || test.condition != 0) return {};
  if (test.type == kString || test.type == kSearch) {
    return {{test.value.data(), test.value_bytes}, std::string(test.value_bytes, '\xff')};
  }
  if (test.type == kRegex) {
    std::string required = required_by({test.value.data(), test.value_bytes});
    std::string masks(required.size(), '\xff');
    return {std::move(required), std::move(masks)};
  }
  const auto number =
      std::find_if(kNumbers.begin(), kNumbers.end(), [&](const Number& each) { return each.type == test.type; });
  if (number == kNumbers.end() || test.mask_op != 0) return {};
  const auto mask = std::bit_cast<std::array<char, sizeof(test.mask)>>(test.mask == 0 ? ~uint64_t{0} : test.mask);
  Literal literal{{test.value.data(), number->bytes}, {mask.data(), number->bytes}};
  if (number->order == Order::reversed) {
    std::reverse(literal.bytes.begin(), literal.bytes.end());
    std::reverse(literal.masks.begin(), literal.masks.end());
  }
  return literal;
}

using Bytes = std::bitset<256>;
size_t code_of(char c) { return static_cast<unsigned char>(c); }
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The smallest first. All have blanks, and a letter in both cases or in none.
constexpr size_t kAlphabets = 3;
std::array<Bytes, kAlphabets> alphabets() {
  Bytes all, ascii;
  for (size_t code = 0; code < all.size(); ++code) {
    all[code] = (code >= ' ' && code != 0x7f) || is_blank(static_cast<char>(code));
    ascii[code] = all[code] && code < 0x80;
  }
  // Of markup and programs, whose tests search the whole of a text and are the dear ones.
  Bytes prose = ascii;
  prose['<'] = prose['='] = prose['{'] = false;
  return {prose, ascii, all};
}

// Both cases of a letter are of one.
constexpr size_t kFirstKinds = 4;
size_t first_kind(size_t code) { return code % kFirstKinds; }

// What is in a text, and at its start.
struct TextKind {
  Bytes any, first;
};
constexpr size_t kTextKinds = kAlphabets * kFirstKinds;

bool has(const Bytes& bytes, char value, char mask) {
  if (mask == '\xff') return bytes[code_of(value)];
  for (size_t code = 0; code < bytes.size(); ++code) {
    if (bytes[code] && (code & code_of(mask)) == code_of(value)) return true;
  }
  return false;
}

bool may_pass(const Entry& test, const TextKind& kind) {
  const Literal literal = literal_of(test);
  const bool has_place = test.type != kSearch && test.type != kRegex;
  const bool at_start = has_place && test.offset == 0 && (test.flags & kNotFromStart) == 0;
  for (size_t i = 0; i < literal.bytes.size(); ++i) {
    const bool is_first = i == 0 && at_start && !is_blank(literal.bytes[i]);
    if (!has(is_first ? kind.first : kind.any, literal.bytes[i], literal.masks[i])) return false;
  }
  return true;
}

class LibMagicForTexts final : public TextMagic {
 public:
  LibMagicForTexts(MagicHandle (*open)(), Database database) : open_(open), database_(std::move(database)) {}

  // Only texts that libmagic takes as they stand: it makes UTF-8 of others before it looks again.
  magic_t tests_for(std::string_view head) override {
    if (head.empty() || code_of(head.front()) >= 0x80) return nullptr;
    for (size_t i = 0; i < kAlphabets; ++i) {
      const Bytes& any = alphabets_[i];
      if (!std::all_of(head.begin(), head.end(), [&](char c) { return any[code_of(c)]; })) continue;
      const size_t first = first_kind(code_of(head.front()));
      Subset& subset = subsets_[i * kFirstKinds + first];
      if (subset.tests.empty()) fill(subset, kind_of(any, first));
      return subset.magic.get();
    }
    return nullptr;
  }

 private:
  struct Subset {
    std::vector<Entry> tests;
    MagicHandle magic;  // reads them, and the names
  };

  static TextKind kind_of(const Bytes& any, size_t first) {
    TextKind kind{any, any};
    for (size_t code = 0; code < any.size(); ++code) {
      if (first_kind(code) != first) kind.first[code] = false;
    }
    return kind;
  }

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
  const std::array<Bytes, kAlphabets> alphabets_ = alphabets();
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
