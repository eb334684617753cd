// Links in texts, as they stand there. Hostile input, hostile output: bounded, never opened by anybody here. One
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace redoubt::scan {

class Links {
 public:
  // http, https and ftp URLs in text or HTML; "&amp;" of HTML becomes "&".
  void add_from_text(std::string_view text);
  // One that a document names as a link; other schemes than the three are left out.
  void add(std::string_view link);
  std::vector<std::string> take() { return std::move(links_); }
  bool full() const;

 private:
  std::vector<std::string> links_;
  std::unordered_set<std::string> seen_;
};

}  // namespace redoubt::scan
