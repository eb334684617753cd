// The route tables, one a door: every path, who may use it, how large a body may be, and its handler. The only place
// where rights are written down. Handlers are in *_routes.cc and reach the node through Services.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "central/alerts/alert_book.h"
#include "central/api/http.h"
#include "central/external_systems/detect_log.h"
#include "central/external_systems/external_systems.h"
#include "central/external_systems/scan_book.h"
#include "central/external_systems/state_list.h"
#include "central/external_systems/submission_limits.h"
#include "central/fleet/enrollment.h"
#include "central/fleet/fleet.h"
#include "central/fleet/policy_book.h"
#include "central/hunts/hunt_exports.h"
#include "central/hunts/hunt_schedule.h"
#include "central/hunts/hunt_service.h"
#include "central/ingest/judge.h"
#include "central/objects/object_service.h"
#include "central/objects/yara_trial.h"
#include "central/reputation/reputation_book.h"
#include "central/rules/attack_names.h"
#include "central/rules/rule_book.h"
#include "central/storage/store_keeper.h"
#include "central/users/accounts.h"
#include "central/users/audit_log.h"
#include "central/users/login_throttle.h"
#include "central/users/sessions.h"
#include "store/events/event_store.h"

namespace redoubt::central {

// What the node is called and where; filled once before the server takes requests.
struct NodeFacts {
  std::string version;
  std::string fingerprint;  // of the HTTPS certificate
  // host:port that agents are told; empty: the name by which they called the API, and link_port.
  std::string link_address;
  int link_port = 0;
  std::string openapi_path;
  std::string web_directory;  // empty: no console
  uint64_t object_bytes_max = uint64_t{100} << 20;
  std::string temporary_directory;  // for files without a name
  std::vector<std::string> webhook_prefixes = {};
  StateList state_list = StateList::array;
};

struct HealthComponent {
  std::string name;
  bool sound = true;
  std::string detail;
};

struct Services {
  Accounts& accounts;
  Sessions& sessions;
  LoginThrottle& throttle;
  AuditLog& audit;
  Fleet& fleet;
  Enrollment& enrollment;
  PolicyBook& policies;
  AlertBook& alerts;
  AlertFeed& feed;
  HuntService& hunts;
  HuntExports& exports;
  ObjectService& objects;
  ReputationBook& reputation;
  YaraSettings& yara_settings;
  YaraTrials& yara_trials;
  const scan::ScanPool& scanner;
  ExternalSystems& external_systems;
  ScanBook& scans;
  DetectLog& detects;
  SubmissionLimits& submission_limits;
  HuntSchedule& schedule;
  RuleBook& rules;
  AttackNames& attack;
  const Judge& judge;
  store::EventStore& events;
  StoreKeeper& keeper;
  base::Metrics& metrics;
  NodeFacts facts;
  std::function<void(const std::string& host_id)> end_streams;
  std::function<std::vector<HealthComponent>()> health;
};

using Handler = Response (*)(Services&, const Request&);
// A route whose body is not collected but handed on piece by piece.
using UploadHandler = Result<std::unique_ptr<BodySink>> (*)(Services&, const Request&);

enum class Audited : uint8_t { no, yes };
// Whether the handler is told that its client went away.
enum class Client : uint8_t { ignored, watched };
// What the limit of a body is: of its bytes, or the node's of an object.
enum class Carries : uint8_t { bytes, object, object_in_form };

struct Route {
  Method method;
  std::string_view pattern;  // below the door's prefix; {…} stands for one segment
  Access least;
  Handler handler;
  size_t body_bytes_max;
  Audited audited;
  UploadHandler upload = nullptr;  // instead of handler
  Client client = Client::ignored;
  Carries carries = Carries::bytes;
};

enum class Elsewhere : uint8_t { console_files, nothing };

// A listener's paths: those of its routes below the prefix, and what is elsewhere.
struct Door {
  std::string_view prefix;
  std::span<const Route> routes;
  Elsewhere elsewhere;
};

// Console, command line, people and programs with a login: below /api/v1.
const Door& api_door();
// External systems with a certificate: below /kata/scanner/v1. The first parameter of each path is the system's id.
const Door& scanner_door();

}  // namespace redoubt::central
