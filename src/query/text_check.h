// One test of a text, for those who have the text and no event: a store that keeps distinct values. Means what matcher
// and SQL mean. Safe from any thread but for holds(), which one thread at a time may call.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "query/expression.h"

namespace redoubt::query {

class TextCheck {
 public:
  // Of a textual field that is no attribute, compared with constants, by an operator of texts; the test is normalized.
  static bool takes(const Test& test);
  explicit TextCheck(const Test& test);
  ~TextCheck();
  TextCheck(TextCheck&&) noexcept;

  bool holds(std::string_view value);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::query
