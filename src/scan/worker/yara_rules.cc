#include "scan/worker/yara_rules.h"

#include <yara.h>
#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "scan/worker/rule_splitter.h"

namespace redoubt::scan {

namespace {

// What public rule sets expect to be defined; `owner` is not known of an object and stays empty.
constexpr std::array kExternals = {"filename", "filepath", "extension", "filetype", "owner"};
constexpr size_t kErrorsPerPassMax = 1000;
constexpr size_t kPassesMax = 64;
constexpr size_t kJointPassesMax = 8;

struct DestroyCompiler {
  void operator()(YR_COMPILER* compiler) const { yr_compiler_destroy(compiler); }
};
using CompilerHandle = std::unique_ptr<YR_COMPILER, DestroyCompiler>;

struct CompileError {
  size_t line = 0;
  std::string rule;
  std::string message;
};

void on_compile_message(int level, const char* /*file*/, int line, const YR_RULE* rule, const char* message,
                        void* user) {
  auto& errors = *static_cast<std::vector<CompileError>*>(user);
  if (level != YARA_ERROR_LEVEL_ERROR || errors.size() >= kErrorsPerPassMax) return;
  const bool has_name = rule != nullptr && rule->identifier != nullptr;
  errors.push_back({static_cast<size_t>(std::max(0, line)), has_name ? rule->identifier : "", message});
}

Result<CompilerHandle> make_compiler() {
  YR_COMPILER* raw = nullptr;
  if (yr_initialize() != ERROR_SUCCESS || yr_compiler_create(&raw) != ERROR_SUCCESS) {
    return fail(Errc::internal, "yara: cannot start");
  }
  CompilerHandle compiler(raw);
  for (const char* name : kExternals) yr_compiler_define_string_variable(raw, name, "");
  // An include would open files; without a callback it is a compile error.
  yr_compiler_set_include_callback(raw, nullptr, nullptr, nullptr);
  return compiler;
}

// The errors of one file; a compiler that had one is of no more use. The path is the name space: two files may have
// rules of the same name.
std::vector<CompileError> add_file(YR_COMPILER* compiler, const wire::RuleFile& file) {
  std::vector<CompileError> errors;
  yr_compiler_set_callback(compiler, on_compile_message, &errors);
  const int count = yr_compiler_add_string(compiler, file.text.c_str(), file.path.c_str());
  if (count != 0 && errors.empty()) errors.push_back({0, "", "it does not compile"});
  if (count == 0) errors.clear();
  return errors;
}

class RuleSet {
 public:
  explicit RuleSet(std::vector<wire::RuleFile> files) : files_(std::move(files)) {}

  Result<YaraRules> compile() {
    for (size_t pass = 0; pass < kJointPassesMax; ++pass) {
      TRY(const CompilerHandle compiler, make_compiler());
      const size_t bad = add_all(compiler.get());
      if (bad == files_.size()) return finish(compiler.get());
      if (pass == 0) {
        for (size_t i = bad; i < files_.size(); ++i) TRY_STATUS(repair(files_[i]));
      } else {
        leave_out(files_[bad], "it does not compile together with the other files");
      }
    }
    return fail(Errc::invalid_argument, "yara: the rules do not compile together");
  }

 private:
  // Index of the first file that has an error; their number if none has.
  size_t add_all(YR_COMPILER* compiler) {
    for (size_t i = 0; i < files_.size(); ++i) {
      if (!add_file(compiler, files_[i]).empty()) return i;
    }
    return files_.size();
  }

  // Leaves out what does not compile in the file alone, until the rest does.
  Status repair(wire::RuleFile& file) {
    auto statements = split_rules(file.text);
    for (size_t pass = 0; pass < kPassesMax; ++pass) {
      TRY(const CompilerHandle compiler, make_compiler());
      const auto errors = add_file(compiler.get(), file);
      if (errors.empty()) return {};
      for (const CompileError& error : errors) {
        const auto found = statement_of(statements, error);
        if (found == statements.end()) continue;
        refuse(file.path, error.line, (found->name.empty() ? "" : found->name + ": ") + error.message);
        blank(file.text, *found);
        statements.erase(found);
      }
      if (statements.empty()) break;
    }
    if (!statements.empty()) leave_out(file, "too many of its rules do not compile");
    if (statements.empty()) file.text.clear();
    return {};
  }

  // The rule that the error names, else the last one that begins before the error.
  static std::vector<RuleStatement>::iterator statement_of(std::vector<RuleStatement>& statements,
                                                           const CompileError& error) {
    auto found = std::find_if(statements.begin(), statements.end(), [&](const RuleStatement& statement) {
      return !error.rule.empty() && statement.name == error.rule && statement.first_line <= error.line &&
             error.line <= statement.last_line;
    });
    if (found != statements.end()) return found;
    const auto after = std::find_if(statements.begin(), statements.end(),
                                    [&](const RuleStatement& statement) { return statement.first_line > error.line; });
    return after == statements.begin() ? after : std::prev(after);
  }

  void refuse(const std::string& path, size_t line, const std::string& message) {
    ++result_.refused_total;
    if (result_.refused.size() >= wire::kRefusedRulesMax) return;
    result_.refused.push_back({path, line, base::escape_invalid_utf8(message)});
  }

  void leave_out(wire::RuleFile& file, const std::string& why) {
    refuse(file.path, 0, why);
    file.text.clear();
  }

  Result<YaraRules> finish(YR_COMPILER* compiler) {
    YR_RULES* rules = nullptr;
    if (yr_compiler_get_rules(compiler, &rules) != ERROR_SUCCESS) {
      return fail(Errc::exhausted, "yara: the rules do not fit into memory");
    }
    result_.rules.reset(rules);
    if (rules->num_rules > 0 || result_.refused.empty()) return std::move(result_);
    const RefusedRule& first = result_.refused.front();
    return fail(Errc::invalid_argument,
                "yara: no rule compiles: " + first.file + " line " + std::to_string(first.line) + ": " + first.message);
  }

  std::vector<wire::RuleFile> files_;
  YaraRules result_;
};

}  // namespace

void DestroyYaraRules::operator()(YR_RULES* rules) const { yr_rules_destroy(rules); }

Result<YaraRules> compile_rules(std::vector<wire::RuleFile> files) { return RuleSet(std::move(files)).compile(); }

}  // namespace redoubt::scan
