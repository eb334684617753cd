// Long texts that come one after the other are often alike but for a few bytes in the middle: the same command with
// another number. What a search for literals found in the parts that are alike is remembered, and of each such text
// only the middle is searched. The texts of one slot; one thread.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "query/match/memo.h"
#include "query/semantics.h"

namespace redoubt::query::match {

// A text as the parts that others have too and what is between them. A literal of at most kPartLiteralMax bytes is in
// the text if and only if it is in one of them: the middle reaches into both parts as far as such a literal can.
struct PartedText {
  TextId common = kNoTextId;  // of both parts together
  std::string_view before;
  std::string_view behind;
  std::string_view middle;
};
constexpr size_t kPartLiteralMax = 128;

class LikeTexts {
 public:
  static constexpr size_t kTextBytesMin = 512;

  // Of a text of at least kTextBytesMin bytes: false where it is like none of the last ones; it is kept then, for
  // others may be like it. `next_id` is called for the id of parts that were not common before.
  template <class NextId>
  bool part(std::string_view text, NextId next_id) {
    if (rest_.rests()) return false;
    for (Known& known : known_) {
      if (known.has_parts_of(text)) return choose(known, text);
    }
    for (Known& known : known_) {
      if (!known.shrink_to(text)) continue;
      known.common = next_id();
      return choose(known, text);
    }
    keep(text);
    return false;
  }
  // Of the text that was parted last, with views into it and into what is kept here.
  const PartedText& parted(Form form) const { return parted_[static_cast<size_t>(form)]; }

 private:
  static constexpr size_t kKnown = 4;

  struct Known {
    bool has_parts_of(std::string_view other) const;
    // Makes the parts so small that the other text has them; false where too little would be left.
    bool shrink_to(std::string_view other);

    std::string text;
    // Sizes of the parts, none at first.
    size_t before = 0;
    size_t behind = 0;
    TextId common = kNoTextId;
    std::string folded;  // both parts, one behind the other
  };

  bool choose(const Known& known, std::string_view text);
  void keep(std::string_view text);

  std::array<Known, kKnown> known_;
  size_t next_ = 0;  // to be replaced
  Rest rest_;
  std::array<PartedText, 2> parted_;
  std::string folded_middle_;
};

}  // namespace redoubt::query::match
