#include "scan/worker/yara_engine.h"

#include <yara.h>
#include <algorithm>
#include <array>

#include "base/text.h"

namespace redoubt::scan {

namespace {

constexpr size_t kCompileErrorsMax = 5;
constexpr int kScoreHigh = 80;
constexpr int kScoreMedium = 60;
// What public rule sets expect to be defined; `owner` is not known of an object and stays empty.
constexpr std::array kExternals = {"filename", "filepath", "extension", "filetype", "owner"};

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* value) const { destroy(value); }
};
void destroy_rules(YR_RULES* rules) { yr_rules_destroy(rules); }
using CompilerHandle = std::unique_ptr<YR_COMPILER, Destroy<YR_COMPILER, yr_compiler_destroy>>;
using RulesHandle = std::unique_ptr<YR_RULES, Destroy<YR_RULES, destroy_rules>>;
using ScannerHandle = std::unique_ptr<YR_SCANNER, Destroy<YR_SCANNER, yr_scanner_destroy>>;

struct CompileErrors {
  const std::string* path = nullptr;
  std::vector<std::string> texts;
};

void on_compile_message(int level, const char* /*file*/, int line, const YR_RULE* /*rule*/, const char* message,
                        void* user) {
  auto& errors = *static_cast<CompileErrors*>(user);
  if (level != YARA_ERROR_LEVEL_ERROR || errors.texts.size() >= kCompileErrorsMax) return;
  errors.texts.push_back(*errors.path + " line " + std::to_string(line) + ": " + message);
}

std::string_view importance_of_score(int64_t score) {
  if (score >= kScoreHigh) return "high";
  return score >= kScoreMedium ? "medium" : "low";
}

// Meta `importance` where a rule has it, else its `score` (0 … 100, as public rule sets use it), else medium.
wire::FoundRule describe(YR_RULE* rule) {
  wire::FoundRule found{rule->identifier, "medium", ""};
  YR_META* meta = nullptr;
  std::string importance;
  yr_rule_metas_foreach(rule, meta) {
    const std::string_view name = meta->identifier;
    if (meta->type == META_TYPE_STRING && name == "importance") importance = meta->string;
    if (meta->type == META_TYPE_STRING && name == "description") found.description = meta->string;
    if (meta->type == META_TYPE_INTEGER && name == "score") found.importance = importance_of_score(meta->integer);
  }
  constexpr std::array<std::string_view, 5> kKnown = {"informational", "low", "medium", "high", "critical"};
  if (std::find(kKnown.begin(), kKnown.end(), importance) != kKnown.end()) found.importance = importance;
  found.description = base::escape_invalid_utf8(found.description);
  return found;
}

int on_scan_message(YR_SCAN_CONTEXT* /*context*/, int message, void* data, void* user) {
  if (message != CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;
  auto& judgement = *static_cast<YaraJudgement*>(user);
  if (judgement.found.size() >= wire::kDetectionsMax) return CALLBACK_ABORT;
  judgement.found.push_back(describe(static_cast<YR_RULE*>(data)));
  return CALLBACK_CONTINUE;
}

class LibYara final : public YaraEngine {
 public:
  LibYara(RulesHandle rules, ScannerHandle scanner) : rules_(std::move(rules)), scanner_(std::move(scanner)) {}

  Result<YaraJudgement> scan(const YaraObject& object, int timeout_s) override {
    const size_t slash = object.name.rfind('/');
    const std::string file = slash == std::string::npos ? object.name : object.name.substr(slash + 1);
    const size_t dot = file.rfind('.');
    define("filepath", object.name);
    define("filename", file);
    define("extension", dot == std::string::npos ? "" : file.substr(dot));
    define("filetype", object.file_type);
    YaraJudgement judgement;
    yr_scanner_set_callback(scanner_.get(), on_scan_message, &judgement);
    yr_scanner_set_timeout(scanner_.get(), timeout_s);
    const int code = yr_scanner_scan_mem(scanner_.get(), reinterpret_cast<const uint8_t*>(object.content.data()),
                                         object.content.size());
    if (code == ERROR_SUCCESS) return judgement;
    if (code == ERROR_SCAN_TIMEOUT) return fail(Errc::timeout, "yara: time is up");
    if (code == ERROR_INSUFFICIENT_MEMORY) return fail(Errc::exhausted, "yara: out of memory");
    return fail(Errc::internal, "yara: error " + std::to_string(code));
  }

 private:
  void define(const char* variable, const std::string& value) {
    yr_scanner_define_string_variable(scanner_.get(), variable, value.c_str());
  }

  RulesHandle rules_;
  ScannerHandle scanner_;
};

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

}  // namespace

std::string yara_version() { return YR_VERSION; }

Result<std::unique_ptr<YaraEngine>> compile_yara(const std::vector<wire::RuleFile>& files) {
  TRY(const CompilerHandle compiler, make_compiler());
  CompileErrors errors;
  yr_compiler_set_callback(compiler.get(), on_compile_message, &errors);
  for (const wire::RuleFile& file : files) {
    errors.path = &file.path;
    // The path is the name space: two files may have rules of the same name.
    if (yr_compiler_add_string(compiler.get(), file.text.c_str(), file.path.c_str()) == 0) continue;
    std::string all = "yara rule does not compile: ";
    for (const std::string& text : errors.texts) all += (&text == errors.texts.data() ? "" : "; ") + text;
    return fail(Errc::invalid_argument, all);
  }
  YR_RULES* rules = nullptr;
  if (yr_compiler_get_rules(compiler.get(), &rules) != ERROR_SUCCESS) {
    return fail(Errc::exhausted, "yara: the rules do not fit into memory");
  }
  RulesHandle owned_rules(rules);
  YR_SCANNER* scanner = nullptr;
  if (yr_scanner_create(rules, &scanner) != ERROR_SUCCESS) return fail(Errc::exhausted, "yara: cannot make a scanner");
  // By itself libyara catches SIGSEGV and goes on; a worker whose memory was damaged has to end.
  yr_scanner_set_flags(scanner, SCAN_FLAGS_NO_TRYCATCH);
  return std::make_unique<LibYara>(std::move(owned_rules), ScannerHandle(scanner));
}

}  // namespace redoubt::scan
