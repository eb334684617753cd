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
  // Calls `hit` with the position of every text that it holds of, once or more. The texts stand one behind the other in
  // `texts`, and have these sizes.
  void find(std::string_view texts, std::span<const uint32_t> sizes, const std::function<void(size_t)>& hit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::query
