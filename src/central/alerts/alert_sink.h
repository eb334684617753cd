// Where detections become alerts. Called by ingest (rules that matched events) and by objects (engines that detected
// something); implemented by alerts/alert_book.h. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "rules/rule_set.h"

namespace redoubt::central {

// rescan: of an object that older engines had let pass.
enum class AlertSource : uint8_t { rule, object, correlation, hunt, fleet, rescan };

std::string_view name_of(AlertSource source);

// The process that acted, as the alert shows it; empty for an object.
struct ActingProcess {
  std::string entity_id;
  std::string executable;
  std::string command_line;
};

// The object that was judged; empty for a rule.
struct AlertObject {
  std::string id;
  std::string name;
  std::string sha256;
  std::vector<std::string> engines;  // that detected something; the alert itself does not keep them
};

struct EventReference {
  std::string host_id;
  std::string boot_id;
  int64_t sequence = 0;
};

// What a correlation counted; empty for rules and objects.
struct CorrelatedEvents {
  std::string group_id;                                    // the same for the same values
  std::vector<std::pair<std::string, std::string>> group;  // field as the rule names it, value
  std::string type;                                        // "event_count"
  int64_t timespan_us = 0;
  int64_t count = 0;    // of events in the window
  double measured = 0;  // what the condition is about: as many events, values, rules; a sum, an average
  base::Time first;
  std::vector<EventReference> events;  // the latest ones
};

// What said so. For an object: id "yara:RULE", title the rule's or engine's words. For a hunt: id "hunt:NUMBER".
struct AlertRule {
  std::string id;
  std::string title;
  std::string description;
  std::string format;  // "sigma", "yara"
  std::string author;
  std::vector<std::string> references;
  std::vector<std::string> false_positives;
};

// One engine or rule saying so about one event or object.
struct NewDetection {
  // Unique for ever: the same key a second time changes nothing. Rule: rule, host, boot and sequence number joined by
  // '|'; correlation: rule, group and the last event; hunt: the same as a rule; object: object id and rule joined by
  // '|'.
  std::string key;
  AlertSource source = AlertSource::rule;
  AlertRule rule;
  rules::Importance importance = rules::Importance::medium;
  std::vector<std::string> techniques;  // ATT&CK ids
  std::vector<std::string> tactics;
  base::Time time;  // of the event, or when the object was judged
  std::string host_id;
  std::string host_name;
  std::string user;  // who acted, or who submitted
  ActingProcess process;
  AlertObject object;
  CorrelatedEvents correlated;
  std::string event_json = "{}";  // canonical field names (event/json.h)
  std::string message;            // what the rule says of this event: a Falco rule's output; may be empty
  std::string falco_json;         // the line that Falco would write (rules/falco/alert.h); empty for other rules
};

class AlertSink {
 public:
  virtual ~AlertSink() = default;
  // Durable on return: the id of the alert that holds the detection, a new one or one that is grouped into.
  virtual Result<std::string> add(const NewDetection& detection) = 0;
};

}  // namespace redoubt::central
