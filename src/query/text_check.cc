#include "query/text_check.h"

#include <re2/re2.h>
#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <vector>

#include "base/text.h"
#include "query/semantics.h"

namespace redoubt::query {

namespace {

// Texts that contain the operand; what reaches over the end of one is none.
void find_operand(std::string_view texts, std::span<const uint32_t> sizes, const std::string& operand,
                  const std::function<void(size_t)>& hit) {
  size_t text = 0;
  size_t end = sizes.empty() ? 0 : sizes[0];  // of that text
  for (size_t at = 0; at < texts.size();) {
    const void* found = memmem(texts.data() + at, texts.size() - at, operand.data(), operand.size());
    if (found == nullptr) return;
    at = static_cast<size_t>(static_cast<const char*>(found) - texts.data());
    while (at >= end) end += sizes[++text];
    if (at + operand.size() > end) {
      ++at;
      continue;
    }
    hit(text);
    at = end;
  }
}

}  // namespace

struct TextCheck::State {
  Operator op;
  Form form;
  std::vector<std::string> operands;
  std::unordered_set<std::string_view> equal;  // the operands, where they are compared by their whole
  std::vector<std::unique_ptr<re2::RE2>> patterns;
  std::string folded;
};

bool TextCheck::takes(const Test& test) {
  const bool textual = event::is_textual(event::info(test.field).type) && test.field != event::Field::attributes;
  const bool of_text = !is_ordering(test.op) && test.op != Operator::exists && test.op != Operator::cidr;
  return textual && of_text && std::all_of(test.operands.begin(), test.operands.end(), [](const Operand& operand) {
           return std::holds_alternative<std::string>(operand);
         });
}

TextCheck::TextCheck(const Test& test) : state_(std::make_unique<State>()) {
  CHECK(takes(test));
  state_->op = test.op;
  state_->form = form_of(test.field, test.case_mode);
  for (const Operand& operand : test.operands) {
    const std::string text = operand_text(test, std::get<std::string>(operand));
    if (test.op != Operator::regex) {
      state_->operands.push_back(text);
      continue;
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemoryMax);
    state_->patterns.push_back(std::make_unique<re2::RE2>(text, options));
  }
  if (test.op == Operator::equal) state_->equal.insert(state_->operands.begin(), state_->operands.end());
}

TextCheck::~TextCheck() = default;
TextCheck::TextCheck(TextCheck&&) noexcept = default;

bool TextCheck::holds(std::string_view value) {
  if (state_->op == Operator::regex) {
    return std::any_of(state_->patterns.begin(), state_->patterns.end(),
                       [&](const auto& pattern) { return re2::RE2::PartialMatch(value, *pattern); });
  }
  if (state_->form == Form::folded) {
    base::fold_case_into(value, state_->folded);
    value = state_->folded;
  }
  if (state_->op == Operator::equal) return state_->equal.contains(value);
  return std::any_of(state_->operands.begin(), state_->operands.end(),
                     [&](const std::string& operand) { return text_holds(state_->op, value, operand); });
}

// Most texts are ASCII, of which folding keeps the size, so that all are folded and searched at once.
void TextCheck::find(std::string_view texts, std::span<const uint32_t> sizes, const std::function<void(size_t)>& hit) {
  const bool at_once = state_->op == Operator::contains && is_ascii(texts) &&
                       std::none_of(state_->operands.begin(), state_->operands.end(),
                                    [](const std::string& operand) { return operand.empty(); });
  if (!at_once) {
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (holds(texts.substr(0, sizes[i]))) hit(i);
      texts.remove_prefix(sizes[i]);
    }
    return;
  }
  if (state_->form == Form::folded) {
    base::fold_case_into(texts, state_->folded);
    texts = state_->folded;
  }
  for (const std::string& operand : state_->operands) find_operand(texts, sizes, operand, hit);
}

}  // namespace redoubt::query
