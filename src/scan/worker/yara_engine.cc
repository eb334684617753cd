#include "scan/worker/yara_engine.h"

#include <yara.h>
#include <algorithm>
#include <array>

#include "base/text.h"
#include "scan/worker/yara_rules.h"

namespace redoubt::scan {

namespace {

constexpr int kScoreHigh = 80;
constexpr int kScoreMedium = 60;

struct DestroyScanner {
  void operator()(YR_SCANNER* scanner) const { yr_scanner_destroy(scanner); }
};
using ScannerHandle = std::unique_ptr<YR_SCANNER, DestroyScanner>;

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
  LibYara(std::unique_ptr<YR_RULES, DestroyYaraRules> rules, ScannerHandle scanner)
      : rules_(std::move(rules)), scanner_(std::move(scanner)) {}

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

  std::vector<LoadedRule> rules() const override {
    std::vector<LoadedRule> loaded;
    YR_RULE* rule = nullptr;
    yr_rules_foreach(rules_.get(), rule) {
      if (!RULE_IS_PRIVATE(rule)) loaded.push_back({rule->identifier, rule->ns->name});
    }
    return loaded;
  }

 private:
  void define(const char* variable, const std::string& value) {
    yr_scanner_define_string_variable(scanner_.get(), variable, value.c_str());
  }

  std::unique_ptr<YR_RULES, DestroyYaraRules> rules_;
  ScannerHandle scanner_;
};

}  // namespace

std::string yara_version() { return YR_VERSION; }

Result<CompiledYara> compile_yara(std::vector<wire::RuleFile> files) {
  TRY(YaraRules rules, compile_rules(std::move(files)));
  YR_SCANNER* scanner = nullptr;
  if (yr_scanner_create(rules.rules.get(), &scanner) != ERROR_SUCCESS) {
    return fail(Errc::exhausted, "yara: cannot make a scanner");
  }
  // By itself libyara catches SIGSEGV and goes on; a worker whose memory was damaged has to end.
  yr_scanner_set_flags(scanner, SCAN_FLAGS_NO_TRYCATCH);
  CompiledYara compiled;
  compiled.engine = std::make_unique<LibYara>(std::move(rules.rules), ScannerHandle(scanner));
  compiled.refused = std::move(rules.refused);
  compiled.refused_total = rules.refused_total;
  return compiled;
}

}  // namespace redoubt::scan
