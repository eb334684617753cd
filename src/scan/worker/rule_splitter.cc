#include "scan/worker/rule_splitter.h"

#include <algorithm>
#include <cctype>

namespace redoubt::scan {

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  std::vector<RuleStatement> run() {
    while (skip_space()) {
      open();
      const std::string_view word = take_word();
      if (word == "import" || word == "include") {
        to_string_end();
      } else if (word == "rule" || word == "private" || word == "global") {
        to_rule_end(word);
      } else {
        to_next_statement();
      }
      close();
    }
    return std::move(statements_);
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  bool sees(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  void step() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  void step_past(std::string_view end) {
    const size_t found = text_.find(end, at_);
    const size_t stop = found == std::string_view::npos ? text_.size() : found + end.size();
    while (at_ < stop) step();
  }

  // Past a comment, a string or a regular expression that starts here; false: none does. YARA divides by a backslash,
  // so a slash is always one of them.
  bool skip_quoted() {
    if (sees("//")) return step_past("\n"), true;
    if (sees("/*")) return step(), step(), step_past("*/"), true;
    const char quote = text_[at_];
    if (quote != '"' && quote != '/') return false;
    step();
    while (!at_end() && text_[at_] != quote && text_[at_] != '\n') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) step();
      step();
    }
    if (!at_end()) step();
    return true;
  }

  // False at the end of the file.
  bool skip_space() {
    while (!at_end()) {
      if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
        step();
      } else if (!sees("//") && !sees("/*")) {
        return true;
      } else {
        skip_quoted();
      }
    }
    return false;
  }

  std::string_view take_word() {
    const size_t start = at_;
    while (!at_end() && is_word(text_[at_])) step();
    return text_.substr(start, at_ - start);
  }

  void to_string_end() {
    if (skip_space() && text_[at_] == '"') skip_quoted();
  }

  void to_rule_end(std::string_view word) {
    while (word != "rule" && skip_space()) {
      word = take_word();
      if (word.empty()) return to_next_statement();
    }
    if (skip_space()) statement_.name = take_word();
    size_t depth = 0;
    while (!at_end()) {
      if (skip_quoted()) continue;
      const char c = text_[at_];
      // No rule holds a line that begins one: the brace that ends this one is missing.
      if (c == '\n' && starts_statement(at_ + 1)) return;
      step();
      if (c == '{') ++depth;
      if (c == '}' && depth > 0 && --depth == 0) return;
    }
  }

  // What is no statement goes up to a line that starts like one.
  void to_next_statement() {
    while (!at_end()) {
      step_past("\n");
      if (starts_statement(at_)) return;
    }
  }

  bool starts_statement(size_t at) const {
    if (at >= text_.size()) return false;
    for (const std::string_view start : {"rule ", "private ", "global ", "import ", "include "}) {
      if (text_.substr(at).starts_with(start)) return true;
    }
    return false;
  }

  void open() {
    statement_ = {};
    statement_.start = at_;
    statement_.first_line = line_;
  }
  void close() {
    statement_.end = at_;
    statement_.last_line = line_;
    statements_.push_back(std::move(statement_));
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t line_ = 1;
  RuleStatement statement_;
  std::vector<RuleStatement> statements_;
};

}  // namespace

std::vector<RuleStatement> split_rules(std::string_view text) { return Splitter(text).run(); }

void blank(std::string& text, const RuleStatement& statement) {
  for (size_t at = statement.start; at < statement.end; ++at) {
    if (text[at] != '\n') text[at] = ' ';
  }
}

}  // namespace redoubt::scan
