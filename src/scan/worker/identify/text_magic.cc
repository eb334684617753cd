#include "scan/worker/identify/text_magic.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "scan/worker/identify/magic_database.h"
#include "scan/worker/identify/magic_needles.h"

namespace redoubt::scan {

namespace {

using magic::Entry;
using magic::Needle;
using magic::Needles;

size_t code_of(char c) { return static_cast<unsigned char>(c); }

std::string lower(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), [](char c) { return base::lower_ascii(c); });
  return folded;
}

using Pair = uint16_t;
constexpr Pair kAnyPair = 0;  // no text has it

Pair pair_at(std::string_view text, size_t at) {
  return static_cast<Pair>(code_of(text[at]) << 8 | code_of(text[at + 1]));
}

// The one of those that a content must have that fewest texts have.
Pair rarest_pair(const Needles& needles) {
  const auto commonness = [](Pair pair) {
    const auto is_common = [](int code) { return (code >= 'a' && code <= 'z') || code == ' ' ? 1 : 0; };
    return pair == kAnyPair ? 3 : is_common(pair >> 8) + is_common(pair & 0xff);
  };
  Pair rarest = kAnyPair;
  for (const Needle& needle : needles) {
    if (needle.any.size() > 1) continue;
    for (size_t i = 0; i + 1 < needle.any.front().size(); ++i) {
      const Pair pair = pair_at(needle.any.front(), i);
      if (commonness(pair) < commonness(rarest)) rarest = pair;
    }
  }
  return rarest;
}

// A text in lower case, and which pairs of characters are in it.
class Text {
 public:
  explicit Text(std::string_view text) : text_(lower(text)) {
    pairs_.set(kAnyPair);
    for (size_t i = 0; i + 1 < text_.size(); ++i) pairs_.set(pair_at(text_, i));
  }

  bool has(Pair pair) const { return pairs_[pair]; }

  bool has(const Needles& needles) const {
    return std::all_of(needles.begin(), needles.end(), [this](const Needle& needle) {
      return std::any_of(needle.any.begin(), needle.any.end(),
                         [&](const std::string& one) { return has(one, needle.place); });
    });
  }

 private:
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
                     [](char c) { return (code_of(c) >= ' ' && code_of(c) != 0x7f) || magic::is_blank(c); });
}

bool may_be_in_text(const Needles& needles) {
  return std::all_of(needles.begin(), needles.end(),
                     [](const Needle& needle) { return std::any_of(needle.any.begin(), needle.any.end(), is_text); });
}

// What else is in the test would only describe the content, and who asks for a type is not told. Libmagic stops at a
// type, and at the end of a test that says anything.
bool is_decided_by_first(std::span<const Entry> test) {
  const auto has_type = [](const Entry& entry) {
    return entry.mime_type.front() != 0 || entry.type == magic::kUse || entry.type == magic::kIndirect;
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
    entries_[at].flags &= static_cast<uint8_t>(~magic::kTried);
    return at;
  }
  // `names`: a database of what tests refer to by name; it stays.
  void load(const MagicHandle& magic, std::vector<Entry>& names) {
    entries_.front() = magic::head_of(entries_.size() - 1, 0);
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
    for (const size_t at : tried_) entries_[at].flags &= static_cast<uint8_t>(~magic::kTried);
    tried_.clear();
  }

 private:
  std::vector<Entry> entries_{1};  // libmagic reads them as they are when it is asked
  std::vector<size_t> tried_;
  bool is_loaded_ = false;
};

class LibMagicForTexts final : public TextMagic {
 public:
  LibMagicForTexts(MagicHandle (*open)(), const magic::Database& database) : of_prose_(open()), of_all_(open()) {
    for (auto rest = database.tests(); !rest.empty();) {
      const auto next = std::find_if(rest.begin() + 1, rest.end(), [](const Entry& entry) { return entry.level == 0; });
      const auto size = static_cast<size_t>(next - rest.begin());
      add(rest.first(size));
      rest = rest.subspan(size);
    }
    const auto names = database.names();
    names_ = {magic::head_of(0, names.size())};
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
    pass(text, by_start_.at(code_of(base::lower_ascii(head.front()))));
    pass(text, others_);
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
  struct Tests {
    std::vector<Pair> pairs;  // one that each asks for: together they are small enough to stay in a cache
    std::vector<Test> tests;
  };
  static constexpr size_t kProseEntriesMax = 4;  // of a test

  void pass(const Text& text, const Tests& asked) {
    for (size_t i = 0; i < asked.pairs.size(); ++i) {
      if (text.has(asked.pairs[i]) && text.has(asked.tests[i].needles)) passed_.push_back(&asked.tests[i]);
    }
  }

  // A test with what it goes on with; not, where no text passes it.
  void add(std::span<const Entry> test) {
    Needles needles = magic::needles_of(test.front());
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
    tests.pairs.push_back(rarest_pair(needles));
    added.needles = std::move(needles);
    tests.tests.push_back(std::move(added));
  }

  SwitchedTests prose_;  // what hits a text by chance, and nothing large
  SwitchedTests all_;    // that some text may pass
  std::vector<Entry> names_;
  std::array<Tests, 256> by_start_;  // whose first needle begins the text, by that in its first byte
  Tests others_;                     // with needles
  std::vector<const Test*> passed_;  // of the text in hand
  MagicHandle of_prose_, of_all_;    // end before what they read
};

}  // namespace

std::unique_ptr<TextMagic> open_text_magic(MagicHandle (*open)()) {
  const auto database = magic::Database::map(magic::path_of_database());
  return database ? std::make_unique<LibMagicForTexts>(open, *database) : nullptr;
}

}  // namespace redoubt::scan
