// One test of a text, for those who have the text and no event: a store that keeps distinct values. Means what matcher
// and SQL mean. Safe from any thread but for what is not const, which one thread at a time may call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
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
  // False: it holds of no text that lies in the bytes, whatever is between the texts. One quick look at all of them.
  bool may_hold_in(std::string_view bytes);
  // Calls `hit` with the position of every text that it holds of, once or more.
  void find(std::span<const std::string_view> texts, const std::function<void(size_t)>& hit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::query
