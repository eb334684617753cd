// Lists of untrusted texts as one field: a line each, bounded. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace redoubt::sensor {

// Valid UTF-8 of one line: line ends become \n in letters; what is longer is cut and ends in an ellipsis.
std::string bounded_text(std::string_view text, size_t bytes_max);

class TextLines {
 public:
  static constexpr size_t kLinesMax = 64;
  static constexpr size_t kLineBytesMax = 512;
  static constexpr size_t kBytesMax = size_t{4} << 10;

  // What no longer fits makes a last line of an ellipsis.
  void add(std::string_view line);
  void add(std::string_view key, std::string_view value) { add(std::string(key) + "=" + std::string(value)); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  size_t lines_ = 0;
};

}  // namespace redoubt::sensor
