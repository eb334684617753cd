#include "rules/stix/bundle.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "rules/stix/pattern.h"
#include "rules/stix/problem.h"

namespace redoubt::rules::stix {

namespace {

using nlohmann::json;

constexpr size_t kIdSizeMax = 200;
constexpr size_t kTechniquesMax = 100;  // of one indicator

std::string text_at(const json& object, std::string_view key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

// The list under the key; an empty one where there is none.
const json& list_at(const json& object, std::string_view key) {
  static const json kNone = json::array();
  const auto at = object.find(key);
  return at != object.end() && at->is_array() ? *at : kNone;
}

bool is_revoked(const json& object) {
  const auto at = object.find("revoked");
  return at != object.end() && at->is_boolean() && at->get<bool>();
}

// What is too much for a parser that keeps a tree; "" where it is not. Commas and what opens stand for values.
std::string excess_of(std::string_view source) {
  int depth = 0;
  size_t values = 0;
  bool in_string = false;
  for (size_t i = 0; i < source.size(); ++i) {
    const char c = source[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
      continue;
    }
    in_string = c == '"';
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (c == ',' || c == '[' || c == '{') ++values;
    if (depth > kJsonNestingMax) return "nested more than " + std::to_string(kJsonNestingMax) + " levels deep";
    if (values > kJsonValuesMax) return "more than " + std::to_string(kJsonValuesMax) + " values";
  }
  return "";
}

query::Diagnostic problem(std::string_view code, size_t line, std::string message, std::string hint = "") {
  query::Diagnostic diagnostic;
  diagnostic.code = std::string(code);
  diagnostic.line = line;
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  return diagnostic;
}

// ATT&CK techniques that indicators point to, by the indicator's id.
std::map<std::string, std::vector<std::string>> techniques_of(const json& objects) {
  std::map<std::string, std::string> technique_of;
  for (const json& object : objects) {
    if (!object.is_object() || text_at(object, "type") != "attack-pattern") continue;
    for (const json& reference : list_at(object, "external_references")) {
      if (reference.is_object() && text_at(reference, "source_name") == "mitre-attack")
        technique_of[text_at(object, "id")] = text_at(reference, "external_id");
    }
  }
  std::map<std::string, std::vector<std::string>> techniques;
  for (const json& object : objects) {
    if (!object.is_object() || text_at(object, "type") != "relationship") continue;
    const auto technique = technique_of.find(text_at(object, "target_ref"));
    if (technique == technique_of.end() || technique->second.empty()) continue;
    std::vector<std::string>& known = techniques[text_at(object, "source_ref")];
    if (known.size() == kTechniquesMax) continue;
    if (std::find(known.begin(), known.end(), technique->second) == known.end()) known.push_back(technique->second);
  }
  return techniques;
}

class BundleReader {
 public:
  BundleReader(std::string_view source, const std::string& path) : source_(source), path_(path) {}

  LoadedFile read() {
    if (!base::is_utf8(source_)) {
      refuse("", problem(code::kJson, 1, "the file is not UTF-8"), source_);
    } else if (const std::string excess = excess_of(source_); !excess.empty()) {
      refuse("", problem(code::kLimit, 1, excess), source_);
    } else {
      read_json();
    }
    return std::move(file_);
  }

 private:
  void refuse(std::string title, query::Diagnostic diagnostic, std::string_view about) {
    file_.refusals.push_back(refusal_of(path_, std::move(title), std::move(diagnostic), about));
  }

  // Moves on to the line where the id is given its object. Ids come in the order of the file: it is read once.
  void find_line(const std::string& id) {
    if (id.empty() || is_lost_) return;
    const std::string quoted = "\"" + id + "\"";
    for (size_t at = source_.find(quoted, searched_); at < source_.size(); at = source_.find(quoted, at + 1)) {
      size_t before = source_.find_last_not_of(" \t\r\n:", at - 1);
      if (before == std::string_view::npos || before < 3 || source_.substr(before - 3, 4) != "\"id\"") continue;
      move_to(at);
      return;
    }
    is_lost_ = true;
  }

  void move_to(size_t offset) {
    const std::string_view passed = source_.substr(searched_, offset - searched_);
    line_ += static_cast<size_t>(std::count(passed.begin(), passed.end(), '\n'));
    searched_ = offset;
  }

  void read_json() {
    json document;
    try {
      document = json::parse(source_);
    } catch (const json::parse_error& error) {
      move_to(std::min(error.byte, source_.size()));
      return refuse("", problem(code::kJson, line_, "not JSON, from byte " + std::to_string(error.byte) + " on"),
                    source_);
    } catch (const json::exception&) {
      return refuse("", problem(code::kJson, 1, "a number is too large"), source_);
    }
    if (document.is_object() && text_at(document, "type") == "indicator") return read_indicator(document, {});
    const auto objects = document.is_object() ? document.find("objects") : document.end();
    if (!document.is_object() || objects == document.end() || !objects->is_array()) {
      return refuse("", problem(code::kShape, 1, "neither a bundle with 'objects' nor an indicator"), source_);
    }
    const auto techniques = techniques_of(*objects);
    size_t indicators = 0;
    for (const json& object : *objects) {
      if (!object.is_object() || text_at(object, "type") != "indicator") continue;
      ++indicators;
      const auto known = techniques.find(text_at(object, "id"));
      read_indicator(object, known == techniques.end() ? std::vector<std::string>() : known->second);
    }
    if (indicators == 0) refuse("", problem(code::kShape, 1, "the bundle holds no indicator"), source_);
  }

  void read_indicator(const json& object, std::vector<std::string> techniques) {
    LoadedRule loaded;
    Rule& rule = loaded.rule;
    rule.id = text_at(object, "id");
    find_line(rule.id);
    loaded.id_line = line_;
    rule.title = text_at(object, "name");
    if (rule.title.empty()) rule.title = rule.id;
    rule.description = text_at(object, "description");
    rule.format = "stix";
    rule.path = path_;
    rule.techniques = std::move(techniques);
    for (const json& phase : list_at(object, "kill_chain_phases")) {
      if (phase.is_object() && text_at(phase, "kill_chain_name") == "mitre-attack")
        rule.tactics.push_back(text_at(phase, "phase_name"));
    }
    for (const json& reference : list_at(object, "external_references")) {
      const std::string address = reference.is_object() ? text_at(reference, "url") : "";
      if (!address.empty()) rule.references.push_back(address);
    }
    if (is_usable(object, loaded)) read_pattern_of(object, std::move(loaded));
  }

  bool is_usable(const json& object, const LoadedRule& loaded) {
    const Rule& rule = loaded.rule;
    const std::string type = text_at(object, "pattern_type");
    if (rule.id.empty() || rule.id.size() > kIdSizeMax || text_at(object, "pattern").empty()) {
      refuse(rule.title, problem(code::kShape, loaded.id_line, "an indicator needs 'id' and 'pattern'"), source_);
    } else if (!type.empty() && type != "stix") {
      refuse(rule.title,
             problem(code::kPatternType, loaded.id_line, "the pattern is of type '" + type + "', not 'stix'"), source_);
    } else if (is_revoked(object)) {
      refuse(rule.title, problem(code::kRevoked, loaded.id_line, "the indicator is revoked"), source_);
    } else {
      return true;
    }
    return false;
  }

  void read_pattern_of(const json& object, LoadedRule loaded) {
    const std::string text = text_at(object, "pattern");
    auto pattern = read_pattern(text);
    if (!pattern) return refuse(loaded.rule.title, std::move(pattern).error(), text);
    auto lowered = lower_criterion(with_end(std::move(pattern->criterion), text_at(object, "valid_until")));
    if (!lowered) {
      return refuse(loaded.rule.title, problem(code::kTooBig, 1, lowered.error().message), text);
    }
    if (never_holds(*lowered)) {
      const std::string why =
          pattern->warnings.empty() ? "its comparisons are about different things" : pattern->warnings.front().message;
      return refuse(loaded.rule.title, problem(code::kNothing, 1, "no event here can match: " + why), text);
    }
    loaded.rule.expression = *std::move(lowered);
    loaded.rule.warnings = std::move(pattern->warnings);
    file_.rules.push_back(std::move(loaded));
  }

  // From then on the indicator counts no more.
  static Criterion with_end(Criterion criterion, const std::string& valid_until) {
    if (valid_until.empty() || !base::parse_time(valid_until)) return criterion;
    Criterion before;
    before.kind = Criterion::Kind::test;
    before.properties = {{.entity = Entity::acting_process, .field = event::Field::event_time}};
    before.op = query::Operator::less;
    before.values = {valid_until};
    Criterion both;
    both.kind = Criterion::Kind::all;
    both.children.push_back(std::move(criterion));
    both.children.push_back(std::move(before));
    return both;
  }

  std::string_view source_;
  const std::string& path_;
  size_t searched_ = 0;   // where the last id stood
  size_t line_ = 1;       // of that place
  bool is_lost_ = false;  // an id is written in another way: no line after it is known
  LoadedFile file_;
};

}  // namespace

LoadedFile read_bundle(std::string_view source, const std::string& path) { return BundleReader(source, path).read(); }

}  // namespace redoubt::rules::stix
