#include "rules/read_paths.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "event/field.h"

namespace redoubt::rules {

namespace {

using event::Field;
using query::And;
using query::Expression;
using query::Not;
using query::Operator;
using query::Or;
using query::Test;

constexpr std::string_view kReadAction = "read";

// Patterns of which one at least fits every read that an expression is true of.
struct Cover {
  bool is_bounded = false;  // false: no patterns say so
  bool is_whole = true;     // false: some reads are not covered after all
  std::vector<std::string> patterns;

  static Cover everything() { return {}; }
  static Cover nothing() { return {.is_bounded = true, .is_whole = true, .patterns = {}}; }
};

// How much patterns let through, as an order of magnitude: a file, a directory, a tree.
int cost_of(const std::string& pattern) {
  constexpr int kDirectory = 16;
  constexpr int kTree = 256;
  if (pattern.ends_with("/**")) return kTree;
  return pattern.ends_with("/*") ? kDirectory : 1;
}

int cost_of(const Cover& cover) {
  int cost = 0;
  for (const std::string& pattern : cover.patterns) cost += cost_of(pattern);
  return cost;
}

// Whether hosts take it in a pattern: an absolute path of at most kNamesMax names, none of which is too long for the
// kernel's tables (sensor/policy.h) or means another directory.
bool is_plain_path(std::string_view path) {
  constexpr size_t kNamesMax = 30;  // "/**" may follow
  constexpr size_t kNameBytesMax = 58;
  if (!path.starts_with('/') || path.find('*') != std::string_view::npos) return false;
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  size_t names = 0;
  while (path.size() > 1) {
    path.remove_prefix(1);
    const std::string_view name = path.substr(0, path.find('/'));
    if (name.empty() || name == "." || name == ".." || name.size() > kNameBytesMax || ++names > kNamesMax) return false;
    path.remove_prefix(name.size());
  }
  return true;
}

bool has(const Test& test, std::string_view value) {
  return std::any_of(test.operands.begin(), test.operands.end(), [&](const query::Operand& operand) {
    const auto* text = std::get_if<std::string>(&operand);
    return text != nullptr && *text == value;
  });
}

// What is certain of a test where a file is opened for reading.
std::optional<bool> is_true_of_reads(const Test& test) {
  if (test.field == Field::event_action && test.op == Operator::equal) return has(test, kReadAction);
  if (test.field == Field::event_type && test.op == Operator::equal) {
    return has(test, event::name_of(event::EventType::filechange));
  }
  return std::nullopt;
}

void add_patterns(const Test& test, const std::string& operand, Cover& cover) {
  std::string path = operand;
  const bool ends_with_slash = path.size() > 1 && path.ends_with('/');
  if (ends_with_slash) path.pop_back();
  const std::string below = path == "/" ? "" : path;
  if (test.field == Field::file_directory && test.op == Operator::equal) {
    cover.patterns.push_back(below + "/*");
    return;
  }
  if (test.op == Operator::equal) {
    cover.patterns.push_back(path);
    return;
  }
  if (!ends_with_slash && test.field == Field::file_path) cover.patterns.push_back(path);
  cover.patterns.push_back(below + "/**");
  // "/etc/pass" is how /etc/passwd begins, and patterns go by whole names.
  if (!ends_with_slash) cover.is_whole = false;
}

Cover cover_of(const Test& test) {
  if (const auto known = is_true_of_reads(test)) return *known ? Cover::everything() : Cover::nothing();
  const bool is_path = test.field == Field::file_path || test.field == Field::file_directory;
  if (!is_path || (test.op != Operator::equal && test.op != Operator::starts_with)) return Cover::everything();
  Cover cover = Cover::nothing();
  for (const query::Operand& operand : test.operands) {
    const auto* text = std::get_if<std::string>(&operand);
    if (text == nullptr || !is_plain_path(*text)) return Cover::everything();
    add_patterns(test, *text, cover);
  }
  return cover;
}

Cover cover_of(const Expression& expression);

// The narrowest of what must hold together.
Cover cover_of(const And& all) {
  Cover best = Cover::everything();
  for (const Expression& child : all.children) {
    Cover cover = cover_of(child);
    if (cover.is_bounded && (!best.is_bounded || cost_of(cover) < cost_of(best))) best = std::move(cover);
  }
  return best;
}

Cover cover_of(const Or& any) {
  Cover sum = Cover::nothing();
  for (const Expression& child : any.children) {
    Cover cover = cover_of(child);
    if (!cover.is_bounded) return Cover::everything();
    sum.is_whole = sum.is_whole && cover.is_whole;
    sum.patterns.insert(sum.patterns.end(), cover.patterns.begin(), cover.patterns.end());
  }
  return sum;
}

Cover cover_of(const Not& negation) {
  const auto* test = std::get_if<Test>(&negation.child->node);
  return test != nullptr && is_true_of_reads(*test) == true ? Cover::nothing() : Cover::everything();
}

Cover cover_of(const Expression& expression) {
  return std::visit([](const auto& node) { return cover_of(node); }, expression.node);
}

bool names_reads(const Expression& expression) {
  if (const auto* all = std::get_if<And>(&expression.node)) {
    return std::any_of(all->children.begin(), all->children.end(), names_reads);
  }
  if (const auto* any = std::get_if<Or>(&expression.node)) {
    return std::any_of(any->children.begin(), any->children.end(), names_reads);
  }
  const auto* test = std::get_if<Test>(&expression.node);
  return test != nullptr && test->field == Field::event_action && is_true_of_reads(*test) == true;
}

}  // namespace

ReadPaths read_paths_of(const Expression& condition) {
  if (!names_reads(condition)) return {};
  Cover cover = cover_of(condition);
  if (!cover.is_bounded) return {.patterns = {}, .elsewhere = true};
  std::sort(cover.patterns.begin(), cover.patterns.end());
  cover.patterns.erase(std::unique(cover.patterns.begin(), cover.patterns.end()), cover.patterns.end());
  return {.patterns = std::move(cover.patterns), .elsewhere = !cover.is_whole};
}

}  // namespace redoubt::rules
