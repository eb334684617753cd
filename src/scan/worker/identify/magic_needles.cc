#include "scan/worker/identify/magic_needles.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/ascii.h"

namespace redoubt::scan::magic {

namespace {

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
      if (!atom && times != Times::maybe) runs.add(std::move(group));
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

}  // namespace

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

}  // namespace redoubt::scan::magic
