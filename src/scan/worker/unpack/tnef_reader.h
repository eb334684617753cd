// What is in a TNEF stream (winmail.dat), as MS-OXTNEF describes it: attachments, the text of the message, and what
// else is large enough to hold something. Views into the stream; hostile input: linear, no recursion. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::scan {

constexpr size_t kTnefItemsMax = 10'000;

struct TnefItem {
  enum class Kind { attachment, body, properties } kind = Kind::attachment;
  std::string name;  // as the stream calls it; empty: it does not
  std::string_view content;
};

struct Tnef {
  std::vector<TnefItem> items;
  std::string problem;  // why there may be more than these; empty: there is not
};

bool is_tnef(std::string_view content);
Tnef read_tnef(std::string_view content);

}  // namespace redoubt::scan
