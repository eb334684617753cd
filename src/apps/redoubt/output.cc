#include "apps/redoubt/output.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>

#include "base/text.h"

namespace redoubt::cli {

namespace {

constexpr size_t kCellWidthMin = 12;

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string cut(const std::string& text, size_t width) {
  if (width_of(text) <= width) return text;
  size_t end = 0;
  for (size_t shown = 0; shown + 1 < width; ++shown) {
    ++end;
    while (end < text.size() && (text[end] & 0xc0) == 0x80) ++end;
  }
  return text.substr(0, end) + "…";
}

// 0 where standard output is no terminal.
size_t terminal_width() {
  winsize size{};
  return isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// Takes width from the widest column until the row fits.
void fit(std::vector<size_t>& widths, size_t line) {
  while (true) {
    size_t all = 2 * (widths.size() - 1);
    for (const size_t width : widths) all += width;
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (all <= line || *widest <= kCellWidthMin) return;
    *widest -= std::min(all - line, *widest - kCellWidthMin);
  }
}

void print_row(const std::vector<std::string>& row, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string cell = cut(row[i], widths[i]);
    line += cell;
    if (i + 1 < row.size()) line += std::string(widths[i] - width_of(cell) + 2, ' ');
  }
  while (line.ends_with(' ')) line.pop_back();
  print_line(line);
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::string valid = base::escape_invalid_utf8(text);
  std::string out;
  for (size_t i = 0; i < valid.size(); ++i) {
    const auto byte = static_cast<unsigned char>(valid[i]);
    // U+0080 … U+009F are control characters too.
    const bool high_control = byte == 0xc2 && i + 1 < valid.size() && static_cast<unsigned char>(valid[i + 1]) < 0xa0;
    if (byte == '\n') {
      out += "⏎";
    } else if (byte < 0x20 || byte == 0x7f || high_control) {
      const auto code = high_control ? static_cast<unsigned char>(valid[++i]) : byte;
      out += std::string("\\x") + kHex[code >> 4] + kHex[code & 15];
    } else {
      out += valid[i];
    }
  }
  return out;
}

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = printable(cell);
  row.resize(head_.size());
  rows_.push_back(std::move(row));
}

void Table::print() const {
  std::vector<size_t> widths;
  for (const std::string& name : head_) widths.push_back(width_of(name));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  if (const size_t line = terminal_width(); line > 0) fit(widths, line);
  print_row(head_, widths);
  for (const auto& row : rows_) print_row(row, widths);
}

void print_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

void print_field(const std::string& name, const std::string& value) {
  if (value.empty()) return;
  std::string label = name + ":";
  label.resize(14, ' ');
  print_line(label + printable(value));
}

void print_note(std::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fputc('\n', stderr);
}

Exit print_error(const Error& error) {
  std::string_view rest = error.message;
  if (rest.find('\n') == std::string_view::npos) {
    print_note("redoubt: " + printable(rest));
  } else {
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      print_note(printable(rest.substr(0, end)));
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
  }
  if (error.code == Errc::invalid_argument) return Exit::usage;
  return error.code == Errc::not_found ? Exit::nothing : Exit::failed;
}

std::string short_time(std::string_view time) {
  std::string text(time.substr(0, 19));
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

}  // namespace redoubt::cli
