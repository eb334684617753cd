// One literal in one text: where its two rarest bytes stand is looked for in many places at once, and what passes is
// compared. For texts of kilobytes, in which a search from byte to byte is what a rule costs. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace redoubt::query::match {

// The part of so many bytes that is likely the rarest in texts; the whole literal where it is no longer than that. Its
// last bytes are the rare ones: for those a scan for many literals looks first.
std::string_view rarest_part(std::string_view literal, size_t bytes);

// How many bytes of a folded literal are such as hardly any text has.
size_t rare_bytes(std::string_view literal);

class Needle {
 public:
  explicit Needle(std::string literal);
  bool is_in(std::string_view text) const;

 private:
  std::string literal_;
  // Places of the two bytes in the literal.
  size_t first_ = 0;
  size_t second_ = 0;
};

}  // namespace redoubt::query::match
