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
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/ascii.h"
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
  std::array<char, 64> description{};
  std::array<char, 80> mime_type{};
  std::array<char, 72> other_words{};
};
static_assert(sizeof(Entry) == 376 && std::is_trivially_copyable_v<Entry>);

// The first entry of a database.
struct Head {
  uint32_t magic = 0, version = 0, tests = 0, names = 0;
  std::array<char, sizeof(Entry) - 4 * sizeof(uint32_t)> unused{};
};

// A compiled database.
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

constexpr uint8_t kTried = 0x20 | 0x40;                // on binary contents, on texts; neither: never
constexpr uint8_t kNotFromStart = 0x01 | 0x02 | 0x80;  // an offset that is looked up, relative, or from the end
constexpr uint8_t kString = 5, kRegex = 17, kSearch = 20, kIndirect = 41, kUse = 46;

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

size_t code_of(char c) { return static_cast<unsigned char>(c); }
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string lower(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), [](char c) { return base::lower_ascii(c); });
  return folded;
}

// What a content must have, in lower case: one of these.
struct Needle {
  std::vector<std::string> any;
  std::optional<size_t> place;  // none: anywhere
};
// All of them; none: not known.
using Needles = std::vector<Needle>;

// Collects strings that are told character by character.
class Runs {
 public:
  // `place`: where it has to be, if that is known.
  void add(char c, std::optional<size_t> place) {
    if (run_.empty()) place_ = place;
    run_ += base::lower_ascii(c);
  }
  void end() {
    if (!run_.empty()) needles_.push_back({{std::exchange(run_, {})}, place_});
  }
  void add(Needles needles) {
    end();
    std::move(needles.begin(), needles.end(), std::back_inserter(needles_));
  }
  Needles take() {
    end();
    return std::move(needles_);
  }

 private:
  std::string run_;
  std::optional<size_t> place_;
  Needles needles_;
};

size_t shortest_of(const Needle& needle) {
  return std::min_element(needle.any.begin(), needle.any.end(),
                          [](const std::string& one, const std::string& other) { return one.size() < other.size(); })
      ->size();
}

// A plain reading of an extended regular expression.
class Expression {
 public:
  explicit Expression(std::string_view text) : rest_(text.substr(0, text.find('\0'))) {}

  // Up to the end of the group that is read.
  Needles required() {
    std::vector<Needles> alternatives = {alternative()};
    while (rest_.starts_with('|')) {
      rest_.remove_prefix(1);
      alternatives.push_back(alternative());
    }
    if (alternatives.size() == 1) return alternatives.front();
    Needle either;
    for (const Needles& one : alternatives) {
      const auto best = std::max_element(
          one.begin(), one.end(), [](const Needle& a, const Needle& b) { return shortest_of(a) < shortest_of(b); });
      if (best == one.end()) return {};
      either.any.insert(either.any.end(), best->any.begin(), best->any.end());
    }
    return {std::move(either)};
  }

 private:
  Needles alternative() {
    Runs runs;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      Needles group;
      const std::optional<char> atom = take_atom(group);
      const Times times = take_times();
      if (atom && times != Times::maybe) runs.add(*atom, std::nullopt);
      if (!atom || times != Times::once) runs.end();
      if (times != Times::maybe) runs.add(std::move(group));
    }
    return runs.take();
  }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  // The character, where it stands for one alone.
  std::optional<char> take_atom(Needles& group) {
    const char c = take();
    if (c == '(') {
      group = required();
      if (!rest_.empty()) take();
      return std::nullopt;
    }
    if (c == '[') return take_bracket();
    if (c == '\\' && !rest_.empty()) {
      const char escaped = take();
      return std::ispunct(static_cast<unsigned char>(escaped)) != 0 ? std::optional(escaped) : std::nullopt;
    }
    return std::string_view(".^$*+?{}").find(c) == std::string_view::npos ? std::optional(c) : std::nullopt;
  }

  std::optional<char> take_bracket() {
    size_t end = rest_.starts_with('^') ? 1 : 0;
    end += rest_.substr(end).starts_with(']') ? 1 : 0;
    while (end < rest_.size() && rest_[end] != ']')
      end = rest_.substr(end).starts_with("[:") ? rest_.find(":]", end) + 2 : end + 1;
    const std::string_view in = rest_.substr(0, end);
    rest_.remove_prefix(std::min(rest_.size(), end + 1));
    return in.size() == 1 ? std::optional(in.front()) : std::nullopt;
  }

  enum class Times { once, maybe, more };
  Times take_times() {
    if (rest_.starts_with('+')) return take(), Times::more;
    if (rest_.starts_with('*') || rest_.starts_with('?')) return take(), Times::maybe;
    if (!rest_.starts_with('{')) return Times::once;
    const bool may_be_none = rest_.substr(1).starts_with('0') || rest_.substr(1).starts_with(',');
    rest_.remove_prefix(std::min(rest_.size(), rest_.find('}') + 1));
    return may_be_none ? Times::maybe : Times::more;
  }

  std::string_view rest_;
};

Needles needles_of_number(const Entry& test, const Number& number) {
  if (test.mask_op != 0) return {};
  auto mask = std::bit_cast<std::array<char, sizeof(test.mask)>>(test.mask == 0 ? ~uint64_t{0} : test.mask);
  decltype(mask) value{};
  std::copy_n(test.value.begin(), value.size(), value.begin());
  if (number.order == Order::reversed) {
    std::reverse(value.begin(), value.begin() + number.bytes);
    std::reverse(mask.begin(), mask.begin() + number.bytes);
  }
  Runs runs;
  for (size_t i = 0; i < number.bytes; ++i) {
    if (mask[i] == '\xff') runs.add(value[i], i);
    if (mask[i] != '\xff') runs.end();
  }
  return runs.take();
}

// Blanks may be missing or more.
Needles needles_of_string(const Entry& test) {
  Runs runs;
  bool has_place = true;
  for (size_t i = 0; i < test.value_bytes; ++i) {
    const char c = test.value[i];
    if (!is_blank(c)) runs.add(c, has_place ? std::optional(i) : std::nullopt);
    if (is_blank(c)) {
      runs.end();
      has_place = false;
    }
  }
  return runs.take();
}

Needles needles_of(const Entry& test) {
  if (test.relation != '=' || test.condition != 0) return {};
  if (test.type == kRegex) return Expression({test.value.data(), test.value_bytes}).required();
  const auto number =
      std::find_if(kNumbers.begin(), kNumbers.end(), [&](const Number& each) { return each.type == test.type; });
  Needles needles;
  if (test.type == kString || test.type == kSearch) needles = needles_of_string(test);
  if (number != kNumbers.end()) needles = needles_of_number(test, *number);
  const bool is_placed = test.type != kSearch && (test.flags & kNotFromStart) == 0 && test.offset >= 0;
  for (Needle& needle : needles) {
    if (needle.place && is_placed) *needle.place += static_cast<size_t>(test.offset);
    if (!is_placed) needle.place.reset();
  }
  return needles;
}

// A text in lower case, and which pairs of characters are in it.
class Text {
 public:
  explicit Text(std::string_view text) : text_(lower(text)) {
    for (size_t i = 0; i + 1 < text_.size(); ++i) pairs_.set(pair_at(text_, i));
  }

  bool has(const Needles& needles) const {
    return std::all_of(needles.begin(), needles.end(), [this](const Needle& needle) {
      return std::any_of(needle.any.begin(), needle.any.end(),
                         [&](const std::string& one) { return has(one, needle.place); });
    });
  }

 private:
  static size_t pair_at(std::string_view text, size_t at) { return code_of(text[at]) << 8 | code_of(text[at + 1]); }

  bool has(const std::string& bytes, std::optional<size_t> place) const {
    if (place) return *place < text_.size() && std::string_view(text_).substr(*place).starts_with(bytes);
    for (size_t i = 0; i + 1 < bytes.size(); ++i) {
      if (!pairs_[pair_at(bytes, i)]) return false;
    }
    return text_.find(bytes) != std::string::npos;
  }

  std::string text_;
  std::bitset<size_t{1} << 16> pairs_;
};

bool is_text(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](char c) { return (code_of(c) >= ' ' && code_of(c) != 0x7f) || is_blank(c); });
}

bool may_be_in_text(const Needles& needles) {
  return std::all_of(needles.begin(), needles.end(),
                     [](const Needle& needle) { return std::any_of(needle.any.begin(), needle.any.end(), is_text); });
}

// What else is in the test would only describe the content, and who asks for a type is not told. Libmagic stops at a
// type, and at the end of a test that says anything.
bool is_decided_by_first(std::span<const Entry> test) {
  const auto has_type = [](const Entry& entry) {
    return entry.mime_type.front() != 0 || entry.type == kUse || entry.type == kIndirect;
  };
  return test.front().mime_type.front() != 0 ||
         (test.front().description.front() != 0 && std::none_of(test.begin(), test.end(), has_type));
}

// Tests that are told not to be tried, but those that the text in hand may pass: so libmagic keeps the regular
// expressions that it has compiled. It steps over all of them, entry by entry.
class SwitchedTests {
 public:
  // The place of its first entry.
  size_t add(std::span<const Entry> test) {
    const size_t at = entries_.size();
    entries_.insert(entries_.end(), test.begin(), test.end());
    return at;
  }
  size_t add_switched(std::span<const Entry> test) {
    const size_t at = add(test);
    entries_[at].flags &= static_cast<uint8_t>(~kTried);
    return at;
  }
  // `names`: a database of what tests refer to by name; it stays.
  void load(const MagicHandle& magic, std::vector<Entry>& names) {
    entries_.front() = head_of(entries_.size() - 1, 0);
    std::array<void*, 2> buffers = {entries_.data(), names.data()};
    std::array<size_t, 2> sizes = {entries_.size() * sizeof(Entry), names.size() * sizeof(Entry)};
    is_loaded_ = magic && magic_load_buffers(magic.get(), buffers.data(), sizes.data(), buffers.size()) == 0;
  }
  bool is_loaded() const { return is_loaded_; }

  void try_it(size_t at, uint8_t flags) {
    entries_[at].flags = flags;
    tried_.push_back(at);
  }
  void try_none() {
    for (const size_t at : tried_) entries_[at].flags &= static_cast<uint8_t>(~kTried);
    tried_.clear();
  }

 private:
  std::vector<Entry> entries_{1};  // libmagic reads them as they are when it is asked
  std::vector<size_t> tried_;
  bool is_loaded_ = false;
};

class LibMagicForTexts final : public TextMagic {
 public:
  LibMagicForTexts(MagicHandle (*open)(), const Database& database) : of_prose_(open()), of_all_(open()) {
    for (auto rest = database.tests(); !rest.empty();) {
      const auto next = std::find_if(rest.begin() + 1, rest.end(), [](const Entry& entry) { return entry.level == 0; });
      const auto size = static_cast<size_t>(next - rest.begin());
      add(rest.first(size));
      rest = rest.subspan(size);
    }
    const auto names = database.names();
    names_ = {head_of(0, names.size())};
    names_.insert(names_.end(), names.begin(), names.end());
    prose_.load(of_prose_, names_);
    all_.load(of_all_, names_);
  }

  // Only texts that libmagic takes as they stand: it makes UTF-8 of others before it looks again.
  magic_t tests_for(std::string_view head) override {
    const bool is_loaded = prose_.is_loaded() && all_.is_loaded();
    if (!is_loaded || head.empty() || code_of(head.front()) >= 0x80 || !is_text(head)) return nullptr;
    const Text text(head);
    passed_.clear();
    for (const auto* tests : {&by_start_.at(code_of(base::lower_ascii(head.front()))), &others_}) {
      for (const Test& test : *tests) {
        if (text.has(test.needles)) passed_.push_back(&test);
      }
    }
    const bool is_prose = std::all_of(passed_.begin(), passed_.end(), [](const Test* test) { return test->in_prose; });
    SwitchedTests& tests = is_prose ? prose_ : all_;
    tests.try_none();
    for (const Test* test : passed_) tests.try_it(is_prose ? *test->in_prose : test->in_all, test->flags);
    return (is_prose ? of_prose_ : of_all_).get();
  }

 private:
  struct Test {
    size_t in_all = 0;
    std::optional<size_t> in_prose;
    uint8_t flags = 0;
    Needles needles;
  };
  static constexpr size_t kProseEntriesMax = 4;  // of a test

  // A test with what it goes on with; not, where no text passes it.
  void add(std::span<const Entry> test) {
    Needles needles = needles_of(test.front());
    if (!may_be_in_text(needles)) return;
    if (is_decided_by_first(test)) test = test.first(1);
    if (needles.empty()) {
      prose_.add(test);
      all_.add(test);
      return;
    }
    Test added{.in_all = all_.add_switched(test), .in_prose = {}, .flags = test.front().flags, .needles = {}};
    const Needle& first = needles.front();
    const bool begins_text = first.place == 0 && first.any.size() == 1;
    if (!begins_text && test.size() <= kProseEntriesMax) added.in_prose = prose_.add_switched(test);
    auto& tests = begins_text ? by_start_.at(code_of(first.any[0][0])) : others_;
    added.needles = std::move(needles);
    tests.push_back(std::move(added));
  }

  SwitchedTests prose_;  // what hits a text by chance, and nothing large
  SwitchedTests all_;    // that some text may pass
  std::vector<Entry> names_;
  std::array<std::vector<Test>, 256> by_start_;  // whose first needle begins the text, by that in its first byte
  std::vector<Test> others_;                     // with needles
  std::vector<const Test*> passed_;              // of the text in hand
  MagicHandle of_prose_, of_all_;                // end before what they read
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
  const auto database = Database::map(path_of_database());
  return database ? std::make_unique<LibMagicForTexts>(open, *database) : nullptr;
}

}  // namespace redoubt::scan
