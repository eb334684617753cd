#include "gateway/folder/masks.h"

#include <fnmatch.h>
#include <algorithm>

#include "base/file.h"

namespace redoubt::gateway::folder {

namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view without_blanks(std::string_view line) {
  const size_t from = line.find_first_not_of(kBlanks);
  if (from == std::string_view::npos) return {};
  return line.substr(from, line.find_last_not_of(kBlanks) - from + 1);
}

}  // namespace

Masks::Masks(std::string_view lines) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view mask = without_blanks(lines.substr(0, end));
    if (!mask.empty() && mask.front() != '#') masks_.emplace_back(mask);
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

Result<Masks> Masks::load(const std::string& path) {
  TRY(const std::string text, base::read_file(path, kMaskFileBytesMax));
  return Masks(text);
}

bool Masks::match(const std::string& relative) const {
  const std::string name = relative.substr(relative.rfind('/') + 1);
  return std::any_of(masks_.begin(), masks_.end(), [&](const std::string& mask) {
    const bool is_path = mask.find('/') != std::string::npos;
    return fnmatch(mask.c_str(), (is_path ? relative : name).c_str(), is_path ? FNM_PATHNAME : 0) == 0;
  });
}

}  // namespace redoubt::gateway::folder
