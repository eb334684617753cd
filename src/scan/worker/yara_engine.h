// The YARA engine of a worker: compiles a rule bundle, judges one buffer after another. Owner of libyara in its .cc;
// one thread. Expects to run inside the jail: it opens no file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scan/loaded_rule.h"
#include "scan/refused_rule.h"
#include "scan/wire.h"

namespace redoubt::scan {

struct YaraObject {
  std::string_view content;
  std::string name;       // external variables filepath, filename, extension
  std::string file_type;  // external variable filetype
};

struct YaraJudgement {
  std::vector<wire::FoundRule> found;
};

class YaraEngine {
 public:
  virtual ~YaraEngine() = default;
  // timeout past timeout_s seconds.
  virtual Result<YaraJudgement> scan(const YaraObject& object, int timeout_s) = 0;
  // Those that can detect something: private ones serve others.
  virtual std::vector<LoadedRule> rules() const = 0;
};

struct CompiledYara {
  std::unique_ptr<YaraEngine> engine;
  std::vector<RefusedRule> refused;  // left out because they do not compile; the first of them
  uint64_t refused_total = 0;
};

// An error where no rule compiles.
Result<CompiledYara> compile_yara(std::vector<wire::RuleFile> files);
std::string yara_version();

}  // namespace redoubt::scan
