#include "query/match/like_texts.h"

#include <algorithm>

#include "base/text.h"

namespace redoubt::query::match {

bool LikeTexts::Known::has_parts_of(std::string_view other) const {
  return common != kNoTextId && other.size() >= before + behind &&
         other.starts_with(std::string_view(text).substr(0, before)) &&
         other.ends_with(std::string_view(text).substr(text.size() - behind));
}

bool LikeTexts::Known::shrink_to(std::string_view other) {
  // What differs is a number, mostly, and numbers have digits in common by chance.
  static constexpr size_t kSlack = 32;
  const auto without_slack = [](ptrdiff_t size) {
    const auto bytes = static_cast<size_t>(size);
    return bytes - std::min(bytes, kSlack);
  };
  const size_t shorter = std::min(text.size(), other.size());
  const auto half = static_cast<ptrdiff_t>(shorter / 2);
  const auto first = std::mismatch(text.begin(), text.begin() + static_cast<ptrdiff_t>(shorter), other.begin()).first;
  const size_t new_before = without_slack(first - text.begin());
  const auto last = std::mismatch(text.rbegin(), text.rbegin() + half, other.rbegin()).first;
  const size_t new_behind = std::min(without_slack(last - text.rbegin()), shorter - std::min(shorter, new_before));
  constexpr size_t kSharesOfFour = 3;
  if (new_before + new_behind < other.size() / 4 * kSharesOfFour) return false;
  const std::string parts = text.substr(0, new_before) + text.substr(text.size() - new_behind);
  // Of ASCII alone folding leaves every byte at its place.
  if (!is_ascii(parts)) return false;
  before = new_before;
  behind = new_behind;
  base::fold_case_into(parts, folded);
  return true;
}

bool LikeTexts::choose(const Known& known, std::string_view text) {
  constexpr size_t kReach = kPartLiteralMax - 1;
  const size_t from = known.before - std::min(known.before, kReach);
  const size_t to = std::min(text.size(), text.size() - known.behind + kReach);
  const std::string_view middle = text.substr(from, to - from);
  if (!is_ascii(middle)) return false;
  rest_.note_known();
  const std::string_view raw = known.text;
  const std::string_view folded = known.folded;
  base::fold_case_into(middle, folded_middle_);
  parted_[static_cast<size_t>(Form::raw)] = {.common = known.common,
                                             .before = raw.substr(0, known.before),
                                             .behind = raw.substr(raw.size() - known.behind),
                                             .middle = middle};
  parted_[static_cast<size_t>(Form::folded)] = {.common = known.common,
                                                .before = folded.substr(0, known.before),
                                                .behind = folded.substr(known.before),
                                                .middle = folded_middle_};
  return true;
}

void LikeTexts::keep(std::string_view text) {
  Known& known = known_[next_];
  next_ = (next_ + 1) % kKnown;
  known.text = text;
  known.common = kNoTextId;
}

}  // namespace redoubt::query::match
