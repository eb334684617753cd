#include "sensor/container/text_lines.h"

#include "base/text.h"

namespace redoubt::sensor {

namespace {

constexpr std::string_view kMore = "…";

bool is_inside_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::string bounded_text(std::string_view text, size_t bytes_max) {
  // Escaping only makes it longer, so bytes behind the limit cannot come into it.
  std::string line;
  for (const char c : base::escape_invalid_utf8(text.substr(0, bytes_max + 1))) {
    if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  if (line.size() <= bytes_max) return line;
  size_t end = bytes_max > kMore.size() ? bytes_max - kMore.size() : 0;
  while (end > 0 && is_inside_character(line[end])) --end;
  line.resize(end);
  return line.append(kMore);
}

void TextLines::add(std::string_view line) {
  if (lines_ > kLinesMax) return;
  std::string bounded = bounded_text(line, kLineBytesMax);
  if (++lines_ > kLinesMax || text_.size() + bounded.size() + 1 > kBytesMax) {
    lines_ = kLinesMax + 1;
    bounded = kMore;
  }
  if (!text_.empty()) text_ += '\n';
  text_ += bounded;
}

}  // namespace redoubt::sensor
