#include "store/events/embedded/line_tests.h"

#include <algorithm>

#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

constexpr size_t kTestsAskedMax = 64;
constexpr size_t kStopPeriod = 64;  // lines

void collect(const query::Expression& expression, std::vector<const query::Test*>& tests) {
  if (const auto* node = std::get_if<query::And>(&expression.node)) {
    for (const query::Expression& child : node->children) collect(child, tests);
  } else if (const auto* either = std::get_if<query::Or>(&expression.node)) {
    for (const query::Expression& child : either->children) collect(child, tests);
  } else if (const auto* negated = std::get_if<query::Not>(&expression.node)) {
    collect(*negated->child, tests);
  } else if (const auto& test = std::get<query::Test>(expression.node);
             test.field == kLineField && query::TextCheck::takes(test)) {
    tests.push_back(&test);
  }
}

}  // namespace

LineTests::LineTests(Duck& duck, const query::Hunt& hunt, PageMemory& memory, std::function<Status()> go_on)
    : duck_(duck), memory_(memory), go_on_(std::move(go_on)) {
  collect(hunt.where, asked_);
  if (asked_.size() > kTestsAskedMax) asked_.clear();
  for (const query::Test* test : asked_) tests_.emplace_back(*test);
}

// By value: statements are made from copies of the hunt.
std::string LineTests::column_of(const query::Test& test) const {
  const auto found =
      std::find_if(asked_.begin(), asked_.end(), [&](const query::Test* known) { return *known == test; });
  return found == asked_.end() ? "" : "line_test_" + std::to_string(found - asked_.begin());
}

std::optional<std::vector<std::string>> LineTests::answer(const View& view) {
  shown_.clear();
  std::vector<std::string> columns;
  const auto take = [&](Result<Answers> answers, std::string_view number) {
    if (answers) columns.push_back(columns_of(*std::move(answers), number));
    return answers.has_value();
  };
  for (const TailPart& tail : view.tails) {
    if (!take(ask(tail), kLineColumn)) return std::nullopt;
  }
  for (const SegmentPart& part : view.segments) {
    if (!take(ask(part), kRowColumn)) return std::nullopt;
  }
  return columns;
}

// By row.
Result<LineTests::Answers> LineTests::ask(const SegmentPart& part) {
  TRY(const SegmentFile file, SegmentFile::open(*part.segment));
  Answers answers(tests_.size(), Marks(part.segment->info.rows));
  for (size_t group = 0; group < file.footer().groups.size(); ++group) {
    if (!in_ranges(file.footer().groups[group], part.ranges)) continue;
    TRY_STATUS(go_on_());
    GroupColumns columns(file, group, memory_);
    for (size_t i = 0; i < tests_.size(); ++i) {
      TRY(const auto rows, columns.passing(kLineField, tests_[i]));
      for (const uint32_t row : rows) answers[i][columns.group().first_row + row] = true;
    }
  }
  return answers;
}

// By the number of the line's text, of those that a memtable has among others.
Result<LineTests::Answers> LineTests::ask(const TailPart& tail) {
  std::vector<uint32_t> numbers;
  std::vector<bool> seen;
  for (size_t row = 0; row < tail.rows; ++row) {
    const uint32_t number = tail.table->text_number(row, kLineField);
    if (number >= seen.size()) seen.resize(std::max<size_t>(number + 1, seen.size() * 2));
    if (number == kNoText || seen[number]) continue;
    seen[number] = true;
    numbers.push_back(number);
  }
  Answers answers(tests_.size(), Marks(seen.size()));
  for (size_t at = 0; at < numbers.size(); ++at) {
    if (at % kStopPeriod == 0) TRY_STATUS(go_on_());
    const std::string_view line = tail.table->text_table().text(numbers[at]);
    for (size_t i = 0; i < tests_.size(); ++i) {
      if (tests_[i].holds(line)) answers[i][numbers[at]] = true;
    }
  }
  return answers;
}

std::string LineTests::columns_of(Answers answers, std::string_view number) {
  std::string columns;
  for (size_t i = 0; i < answers.size(); ++i) {
    const bool none = std::find(answers[i].begin(), answers[i].end(), true) == answers[i].end();
    std::string answer = "FALSE";
    if (!none) {
      shown_.push_back(duck_.show(std::move(answers[i])));
      answer = "redoubt_marked(" + shown_.back()->name() + ", " + std::string(number) + ")";
    }
    columns += ", " + answer + " AS line_test_" + std::to_string(i);
  }
  return columns;
}

}  // namespace redoubt::store::embedded
