#include "scan/worker/link_finder.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/ascii.h"
#include "scan/wire.h"

namespace redoubt::scan {

namespace {

constexpr size_t kLinkTextBytesRead = size_t{16} << 20;
constexpr std::string_view kSlashes = "://";
constexpr std::array<std::string_view, 3> kSchemes = {"https", "http", "ftp"};

// The scheme that ends where `before` ends, or nothing.
std::string_view scheme_at_end(std::string_view before) {
  for (const std::string_view scheme : kSchemes) {
    if (before.size() < scheme.size()) continue;
    const std::string_view last = before.substr(before.size() - scheme.size());
    if (std::equal(last.begin(), last.end(), scheme.begin(), [](char a, char b) { return base::lower_ascii(a) == b; }))
      return last;
  }
  return {};
}

bool ends_link(char c) {
  constexpr std::string_view kEnds = "<>\"'`{}|\\^";
  return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || kEnds.find(c) != std::string_view::npos;
}

// A sentence's mark after a link is none of its characters; a bracket that the link did not open neither.
std::string_view without_marks(std::string_view link) {
  constexpr std::string_view kMarks = ".,;:!?*";
  while (!link.empty()) {
    const char last = link.back();
    const bool stray = (last == ')' && link.find('(') == std::string_view::npos) ||
                       (last == ']' && link.find('[') == std::string_view::npos);
    if (!stray && kMarks.find(last) == std::string_view::npos) break;
    link.remove_suffix(1);
  }
  return link;
}

std::string without_entities(std::string_view link) {
  constexpr std::string_view kAmpersand = "&amp;";
  std::string plain;
  for (size_t at = 0; at < link.size(); ++at) {
    plain += link[at];
    if (link.substr(at).starts_with(kAmpersand)) at += kAmpersand.size() - 1;
  }
  return plain;
}

}  // namespace

bool Links::full() const { return links_.size() >= wire::kLinksMax; }

void Links::add_from_text(std::string_view text) {
  text = text.substr(0, kLinkTextBytesRead);
  size_t from = 0;
  size_t last = 0;  // the end of the link before
  while (!full()) {
    // A search for the one character that is rare is many times as fast as one for the three.
    const size_t slashes = text.find(kSlashes.front(), from);
    if (slashes == std::string_view::npos) return;
    if (!text.substr(slashes).starts_with(kSlashes)) {
      from = slashes + 1;
      continue;
    }
    const std::string_view scheme = scheme_at_end(text.substr(last, slashes - last));
    from = last = slashes + kSlashes.size();
    if (scheme.empty()) continue;
    size_t end = from;
    while (end < text.size() && end - from <= wire::kLinkBytesMax && !ends_link(text[end])) ++end;
    add(without_entities(without_marks(text.substr(slashes - scheme.size(), end - slashes + scheme.size()))));
    from = last = end;
  }
}

void Links::add(std::string_view link) {
  const size_t slashes = link.find(kSlashes);
  if (full() || slashes == std::string_view::npos || link.size() > wire::kLinkBytesMax) return;
  if (scheme_at_end(link.substr(0, slashes)).size() != slashes || slashes + kSlashes.size() == link.size()) return;
  if (std::any_of(link.begin(), link.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; })) return;
  if (seen_.insert(std::string(link)).second) links_.emplace_back(link);
}

}  // namespace redoubt::scan
