// The passwords to try on what is encrypted in one object: those that the asker knows, those that names and mails
// mention, and the few that everybody uses. Text is hostile: everything is bounded. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace redoubt::scan {

class Passwords {
 public:
  explicit Passwords(const std::vector<std::string>& known);

  // Words after "password", "пароль" …, quoted words, then any other; of texts and of subjects.
  void add_from_text(std::string_view text);
  // "invoice (pw 1234).zip": words of a file name.
  void add_from_name(std::string_view name);
  // One that fitted comes first from now on.
  void prefer(const std::string& fitting);
  // Best first: known, found, common.
  std::vector<std::string> candidates() const;

 private:
  void add_found(std::string_view word);

  std::vector<std::string> known_;
  std::vector<std::string> found_;
  std::unordered_set<std::string> seen_;
};

// The candidates of a text, best first, each once; at most count_max.
std::vector<std::string> find_passwords(std::string_view text, size_t count_max);

}  // namespace redoubt::scan
