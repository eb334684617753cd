#include "query/text_check.h"

#include <re2/re2.h>
#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <vector>

#include "base/text.h"
#include "query/match/hyperscan_literals.h"
#include "query/semantics.h"

namespace redoubt::query {

namespace {

constexpr size_t kTextsAtOnce = 256;

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
  std::string joined;
  std::vector<uint32_t> sizes;
  match::CaselessLook look;
  match::ScanScratch scratch;
  bool look_built = false;

  void build_look();
  bool find_at_once(std::span<const std::string_view> texts, const std::function<void(size_t)>& hit);
};

// Of texts that contain an operand; no error, but a look that says that there may be one, where it cannot be built.
void TextCheck::State::build_look() {
  look_built = true;
  std::vector<std::string> folded_operands;
  for (const std::string& operand : operands) folded_operands.push_back(base::fold_case(operand));
  const bool empty = std::any_of(operands.begin(), operands.end(), [](const auto& operand) { return operand.empty(); });
  if (op == Operator::contains && !empty && !look.build(folded_operands, scratch)) look = {};
}

// False, and nothing is found: they are not all ASCII.
bool TextCheck::State::find_at_once(std::span<const std::string_view> texts, const std::function<void(size_t)>& hit) {
  joined.clear();
  sizes.clear();
  for (const std::string_view text : texts) {
    joined += text;
    sizes.push_back(static_cast<uint32_t>(text.size()));
  }
  if (!is_ascii(joined)) return false;
  if (form == Form::folded) base::fold_case_into(joined, folded);
  for (const std::string& operand : operands) find_operand(form == Form::folded ? folded : joined, sizes, operand, hit);
  return true;
}

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
  if (state_->op == Operator::equal) {
    return state_->operands.size() == 1 ? value == state_->operands.front() : state_->equal.contains(value);
  }
  return std::any_of(state_->operands.begin(), state_->operands.end(),
                     [&](const std::string& operand) { return text_holds(state_->op, value, operand); });
}

bool TextCheck::may_hold_in(std::string_view bytes) {
  if (!state_->look_built) state_->build_look();
  return state_->look.may_hold(bytes, state_->scratch);
}

// Most texts are ASCII, of which folding keeps the size, so that many are folded and searched at once.
void TextCheck::find(std::span<const std::string_view> texts, const std::function<void(size_t)>& hit) {
  const bool at_once =
      state_->op == Operator::contains && std::none_of(state_->operands.begin(), state_->operands.end(),
                                                       [](const std::string& operand) { return operand.empty(); });
  for (size_t first = 0; first < texts.size(); first += kTextsAtOnce) {
    const auto some = texts.subspan(first, std::min(kTextsAtOnce, texts.size() - first));
    if (at_once && state_->find_at_once(some, [&](size_t at) { hit(first + at); })) continue;
    for (size_t i = 0; i < some.size(); ++i) {
      if (holds(some[i])) hit(first + i);
    }
  }
}

}  // namespace redoubt::query
