#include "scan/worker/passwords.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "scan/wire.h"

namespace redoubt::scan {

namespace {

constexpr size_t kTextBytesRead = size_t{64} << 10;
constexpr size_t kFoundMax = 100;
constexpr size_t kWordsAfterKeyword = 6;
constexpr size_t kPlainWordBytesMin = 3;
constexpr size_t kTagBytesMax = 4096;

// What senders of malware and of samples use when they use nothing else.
constexpr std::array<std::string_view, 14> kCommon = {"infected", "virus", "malware", "password",       "123",
                                                      "1234",     "12345", "123456",  "test",           "archive",
                                                      "2024",     "2025",  "2026",    "VelvetSweatshop"};

// Folded; the last word of a phrase stands for it.
constexpr std::array<std::string_view, 20> kKeywords = {
    "password", "passwd",   "passcode", "passphrase", "pass",  "pwd",   "pw",     "пароль", "паролем",    "пароля",
    "passwort", "kennwort", "passe",    "mdp",        "clave", "senha", "parola", "hasło",  "contraseña", "wachtwoord"};

constexpr std::array<std::string_view, 16> kPunctuation = {"\"", "'", "`", ".", ",", ":", ";", "(",
                                                           ")",  "[", "]", "=", "«", "»", "“", "”"};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v' || c == '\0'; }

// Tags of HTML become a space; what is no tag stays.
std::string without_tags(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '<' && at + 1 < text.size()) {
      const char next = text[at + 1];
      const bool opens = next == '/' || next == '!' || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
      const size_t close = opens ? text.substr(at, kTagBytesMax).find('>') : std::string_view::npos;
      if (close != std::string_view::npos) {
        plain += ' ';
        at += close;
        continue;
      }
    }
    plain += text[at];
  }
  return plain;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  size_t start = 0;
  for (size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && !is_space(text[at])) continue;
    if (at > start) words.push_back(text.substr(start, at - start));
    start = at + 1;
  }
  return words;
}

std::string_view bare(std::string_view word) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const std::string_view mark : kPunctuation) {
      if (word.starts_with(mark)) word.remove_prefix(mark.size()), changed = true;
      if (word.ends_with(mark)) word.remove_suffix(mark.size()), changed = true;
    }
  }
  return word;
}

class Collector {
 public:
  explicit Collector(size_t count_max) : count_max_(count_max) {}

  void add(std::string_view word, size_t bytes_min = 1) {
    for (const std::string_view form : {bare(word), word}) {
      if (form.size() < bytes_min || form.size() > wire::kPasswordBytesMax || full()) continue;
      if (seen_.insert(std::string(form)).second) words_.emplace_back(form);
    }
  }
  bool full() const { return words_.size() >= count_max_; }
  std::vector<std::string> take() { return std::move(words_); }

 private:
  size_t count_max_;
  std::vector<std::string> words_;
  std::unordered_set<std::string> seen_;
};

bool is_keyword(std::string_view word) {
  const std::string folded = base::fold_case(bare(word));
  return std::find(kKeywords.begin(), kKeywords.end(), folded) != kKeywords.end();
}

// "password: x", "password=x", "the password of the archive is x".
void add_after_keywords(const std::vector<std::string_view>& words, Collector& to) {
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t mark = words[i].find_first_of(":=");
    const bool joined = mark != std::string_view::npos && is_keyword(words[i].substr(0, mark));
    if (joined) to.add(words[i].substr(mark + 1));
    if (!joined && !is_keyword(words[i])) continue;
    for (size_t after = i + 1; after < words.size() && after <= i + kWordsAfterKeyword; ++after) to.add(words[after]);
  }
}

void add_quoted(std::string_view text, std::string_view open, std::string_view close, Collector& to) {
  size_t at = text.find(open);
  while (at != std::string_view::npos && !to.full()) {
    const size_t start = at + open.size();
    const size_t end = text.substr(start, wire::kPasswordBytesMax + close.size()).find(close);
    if (end == std::string_view::npos) {
      at = text.find(open, start);
      continue;
    }
    const std::string_view quoted = text.substr(start, end);
    if (quoted.find('\n') == std::string_view::npos) to.add(quoted);
    at = text.find(open, start + end + close.size());
  }
}

}  // namespace

std::vector<std::string> find_passwords(std::string_view text, size_t count_max) {
  const std::string plain = without_tags(text.substr(0, kTextBytesRead));
  const auto words = split_words(plain);
  Collector found(count_max);
  add_after_keywords(words, found);
  add_quoted(plain, "\"", "\"", found);
  add_quoted(plain, "'", "'", found);
  add_quoted(plain, "«", "»", found);
  add_quoted(plain, "“", "”", found);
  for (size_t i = 0; i < words.size() && !found.full(); ++i) found.add(words[i], kPlainWordBytesMin);
  return found.take();
}

Passwords::Passwords(const std::vector<std::string>& known) : known_(known) {
  seen_.insert(known.begin(), known.end());
  for (const std::string_view common : kCommon) seen_.emplace(common);
}

void Passwords::add_found(std::string_view word) {
  if (found_.size() < kFoundMax && seen_.insert(std::string(word)).second) found_.emplace_back(word);
}

void Passwords::add_from_text(std::string_view text) {
  for (const std::string& word : find_passwords(text, kFoundMax)) add_found(word);
}

void Passwords::add_from_name(std::string_view name) {
  std::string words(name.substr(0, wire::kTextBytesMax));
  for (char& c : words) {
    if (c == '_' || c == '-' || c == '(' || c == ')' || c == '[' || c == ']' || c == '/' || c == '.') c = ' ';
  }
  add_from_text(words);
}

void Passwords::prefer(const std::string& fitting) {
  std::erase(known_, fitting);
  known_.insert(known_.begin(), fitting);
}

std::vector<std::string> Passwords::candidates() const {
  std::vector<std::string> all = known_;
  all.insert(all.end(), found_.begin(), found_.end());
  all.insert(all.end(), kCommon.begin(), kCommon.end());
  return all;
}

}  // namespace redoubt::scan
