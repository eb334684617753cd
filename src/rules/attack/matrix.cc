#include "rules/attack/matrix.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace redoubt::rules::attack {

namespace {

using nlohmann::json;

constexpr std::string_view kSource = "mitre-attack";
constexpr int kSuccessionsMax = 8;

constexpr auto kTactics = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"reconnaissance", "Reconnaissance"},
    {"resource-development", "Resource Development"},
    {"initial-access", "Initial Access"},
    {"execution", "Execution"},
    {"persistence", "Persistence"},
    {"privilege-escalation", "Privilege Escalation"},
    {"stealth", "Stealth"},
    {"defense-impairment", "Defense Impairment"},
    {"credential-access", "Credential Access"},
    {"discovery", "Discovery"},
    {"lateral-movement", "Lateral Movement"},
    {"collection", "Collection"},
    {"command-and-control", "Command and Control"},
    {"exfiltration", "Exfiltration"},
    {"impact", "Impact"},
});

// The members of one object of the bundle that matter, of whichever type it is.
struct BundleObject {
  std::string type, id, name, short_name, version, relationship, source_ref, target_ref, technique_id;
  std::string reference_source, reference_id, chain, phase;  // of the list item in hand
  std::vector<std::string> tactics;
  bool is_out_of_use = false;
};

struct TextMember {
  std::string_view path;
  std::string BundleObject::* member;
};

constexpr auto kTextMembers = std::to_array<TextMember>({
    {"type", &BundleObject::type},
    {"id", &BundleObject::id},
    {"name", &BundleObject::name},
    {"x_mitre_shortname", &BundleObject::short_name},
    {"x_mitre_version", &BundleObject::version},
    {"relationship_type", &BundleObject::relationship},
    {"source_ref", &BundleObject::source_ref},
    {"target_ref", &BundleObject::target_ref},
    {"external_references/source_name", &BundleObject::reference_source},
    {"external_references/external_id", &BundleObject::reference_id},
    {"kill_chain_phases/kill_chain_name", &BundleObject::chain},
    {"kill_chain_phases/phase_name", &BundleObject::phase},
});

bool is_technique_id(std::string_view id) {
  constexpr std::string_view kForm = "T0000.000";
  constexpr size_t kTopSize = 5;
  if (id.size() != kTopSize && id.size() != kForm.size()) return false;
  for (size_t i = 0; i < id.size(); ++i) {
    const bool fits = kForm[i] == '0' ? id[i] >= '0' && id[i] <= '9' : id[i] == kForm[i];
    if (!fits) return false;
  }
  return true;
}

// Walks over the bundle once, object by object; what an object says is taken when it ends.
class BundleWalk final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return scalar(); }
  bool number_integer(number_integer_t) override { return scalar(); }
  bool number_unsigned(number_unsigned_t) override { return scalar(); }
  bool number_float(number_float_t, const string_t&) override { return scalar(); }
  bool binary(binary_t&) override { return scalar(); }
  bool boolean(bool value) override {
    if (value && (path() == "revoked" || path() == "x_mitre_deprecated")) object_.is_out_of_use = true;
    return scalar();
  }
  bool string(string_t& text) override {
    const std::string here = path();
    for (const TextMember& each : kTextMembers) {
      if (each.path == here && text.size() <= kNameBytesMax) object_.*each.member = text;
    }
    return scalar();
  }
  bool key(string_t& name) override {
    keys_.back() = name.size() <= kNameBytesMax ? name : "";
    return true;
  }
  bool start_object(size_t) override { return descend(); }
  bool start_array(size_t) override { return descend(); }
  bool end_object() override {
    keys_.pop_back();
    if (keys_.size() == kItemDepth) end_item();
    return keys_.size() != kListDepth || end_bundle_object();
  }
  bool end_array() override {
    keys_.pop_back();
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    problem_ = "not JSON, at byte " + std::to_string(position);
    return false;
  }

  const std::string& problem() const { return problem_; }
  Result<Matrix> finish();

 private:
  struct Known {
    Technique technique;
    std::string stix_id;
    bool is_out_of_use = false;
  };

  // Levels of nesting, the document itself being the first: {"objects": [ {…, "list": [ {…} ] } ] }
  static constexpr size_t kListDepth = 2;
  static constexpr size_t kObjectDepth = 3;
  static constexpr size_t kItemDepth = 4;

  static bool scalar() { return true; }
  bool stop(std::string why) {
    problem_ = std::move(why);
    return false;
  }
  bool descend() {
    keys_.emplace_back();
    if (keys_.size() > kNestingMax) return stop("nested more than " + std::to_string(kNestingMax) + " levels deep");
    if (keys_.size() == kObjectDepth) object_ = {};
    return true;
  }
  // The member in hand below its object of the bundle: "name", "external_references/external_id"; else empty.
  std::string path() const {
    if (keys_.size() < kObjectDepth || keys_[0] != "objects") return "";
    if (keys_.size() == kObjectDepth) return keys_[2];
    return keys_.size() == kItemDepth + 1 ? keys_[2] + "/" + keys_[4] : "";
  }
  void end_item() {
    if (object_.reference_source == kSource && object_.technique_id.empty())
      object_.technique_id = object_.reference_id;
    if (object_.chain == kSource && object_.tactics.size() < kTacticsOfTechniqueMax) {
      object_.tactics.push_back(object_.phase);
    }
    object_.reference_source = object_.reference_id = object_.chain = object_.phase = "";
  }
  bool end_bundle_object();
  bool add_technique();

  std::vector<std::string> keys_;  // by level: the member in hand
  BundleObject object_;
  size_t objects_ = 0;
  std::string problem_;
  std::string version_;
  std::vector<Tactic> tactics_;
  std::map<std::string, Known> techniques_;          // by technique id
  std::map<std::string, std::string> technique_of_;  // by STIX id
  std::map<std::string, std::string> successor_of_;  // STIX ids
};

bool BundleWalk::end_bundle_object() {
  if (++objects_ > kObjectsMax) return stop("more than " + std::to_string(kObjectsMax) + " objects");
  if (object_.type == "x-mitre-collection") version_ = object_.version;
  if (object_.type == "relationship" && object_.relationship == "revoked-by") {
    successor_of_[object_.source_ref] = object_.target_ref;
  }
  if (object_.type == "x-mitre-tactic" && !object_.is_out_of_use && !object_.short_name.empty()) {
    if (tactics_.size() == kTacticsMax) return stop("more than " + std::to_string(kTacticsMax) + " tactics");
    tactics_.push_back({.short_name = object_.short_name, .name = object_.name});
  }
  return object_.type != "attack-pattern" || !is_technique_id(object_.technique_id) || add_technique();
}

// An id is given out again now and then: the technique in use wins.
bool BundleWalk::add_technique() {
  technique_of_[object_.id] = object_.technique_id;
  const auto held = techniques_.find(object_.technique_id);
  if (held != techniques_.end() && object_.is_out_of_use) return true;
  if (held == techniques_.end() && techniques_.size() == kTechniquesMax) {
    return stop("more than " + std::to_string(kTechniquesMax) + " techniques");
  }
  techniques_[object_.technique_id] = {
      .technique = {.id = object_.technique_id, .name = object_.name, .tactics = object_.tactics, .replaced_by = ""},
      .stix_id = object_.id,
      .is_out_of_use = object_.is_out_of_use};
  return true;
}

Result<Matrix> BundleWalk::finish() {
  if (techniques_.empty()) return fail(Errc::invalid_argument, "no technique of ATT&CK is in it");
  Matrix matrix{.version = version_, .tactics = std::move(tactics_), .techniques = {}};
  for (auto& [id, known] : techniques_) {
    std::string at = known.stix_id;
    for (int i = 0; known.is_out_of_use && i < kSuccessionsMax; ++i) {
      const auto next = successor_of_.find(at);
      if (next == successor_of_.end()) break;
      at = next->second;
    }
    const auto successor = technique_of_.find(at);
    if (successor != technique_of_.end() && successor->second != id) known.technique.replaced_by = successor->second;
    matrix.techniques.push_back(std::move(known.technique));
  }
  return matrix;
}

}  // namespace

Result<Matrix> read_bundle(std::string_view bundle) {
  if (bundle.size() > kBundleBytesMax) return fail(Errc::too_large, "ATT&CK bundle: larger than 128 MiB");
  BundleWalk walk;
  const bool whole = json::sax_parse(bundle.begin(), bundle.end(), &walk);
  auto matrix = whole ? walk.finish() : fail(Errc::invalid_argument, walk.problem());
  return base::within("ATT&CK bundle", std::move(matrix));
}

std::span<const std::pair<std::string_view, std::string_view>> known_tactics() { return kTactics; }

}  // namespace redoubt::rules::attack
