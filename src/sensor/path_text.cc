#include "sensor/path_text.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace redoubt::sensor {

namespace {

std::vector<std::string_view> components_of(std::string_view leaf_first) {
  std::vector<std::string_view> parts;
  while (!leaf_first.empty()) {
    const size_t end = std::min(leaf_first.find('\0'), leaf_first.size());
    if (end > 0) parts.push_back(leaf_first.substr(0, end));
    leaf_first.remove_prefix(std::min(end + 1, leaf_first.size()));
  }
  return parts;
}

void append_components(std::string_view path, std::vector<std::string_view>& parts) {
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
}

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::string path_from_components(std::string_view leaf_first) {
  const std::vector<std::string_view> parts = components_of(leaf_first);
  std::string path;
  path.reserve(leaf_first.size() + 1);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (!part->starts_with('/')) path += '/';
    path += *part;
  }
  return path.empty() ? "/" : path;
}

std::string resolve_path(std::string_view base, std::string_view given) {
  std::vector<std::string_view> parts;
  append_components(base, parts);
  append_components(given, parts);
  std::string path;
  for (const std::string_view part : parts) path.append("/").append(part);
  return path.empty() ? "/" : path;
}

std::string_view name_of_path(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string command_line_from(std::string_view arguments, size_t total) {
  std::string line(arguments);
  if (arguments.size() >= total && line.ends_with('\0')) line.pop_back();
  std::replace(line.begin(), line.end(), '\0', ' ');
  line = field_text(line);
  if (arguments.size() < total) line += "…[+" + std::to_string(total - arguments.size()) + " bytes]";
  return line;
}

std::string field_text(std::string_view bytes) {
  std::string text = base::escape_invalid_utf8(bytes);
  if (text.size() > kFieldBytesMax) {
    size_t end = kFieldBytesMax;
    while (end > 0 && continues_character(text[end])) --end;
    text.resize(end);
  }
  return text;
}

}  // namespace redoubt::sensor
