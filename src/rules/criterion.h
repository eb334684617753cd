// What indicator formats (OpenIOC, STIX, lists) say, before it is an expression: conditions on properties of things (a
// file, a process, a connection), joined by all and any. All conditions of one `all` are about the same event: on each
// kind of event a property is one field, or it is not there and the condition does not hold. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "query/expression.h"

namespace redoubt::rules {

// The thing that a property belongs to, as events show it.
enum class Entity : uint8_t {
  file,             // of a file event
  written_file,     // of a file event that made, wrote or renamed it
  started_process,  // of the start of a process
  acting_process,   // of the start of a process, and of what it does to files and in the network
  connection,       // of a connection in either direction
  outbound,         // of one that was opened here
  inbound,          // of one that was accepted here
  looked_up_name,   // of a name look-up
  loaded_file,      // of a library, module or driver that was loaded
  registry_value,   // of the Windows registry
  log_record,       // of a record of a log
};

struct Property {
  Entity entity;
  event::Field field;
};

// Whether a test holds where its comparison does, or where the field is there and the comparison does not hold.
enum class Polarity : uint8_t { positive, negative };

// Regular expressions in one file or pattern: each costs milliseconds to compile, at worst.
constexpr size_t kRegexesMax = 100;

struct Criterion {
  enum class Kind : uint8_t { all, any, test };

  Kind kind = Kind::any;  // without children: never holds
  std::vector<Criterion> children;

  // Of a test. `like` values hold kAnyRun and kAnyOne; `equal` takes address prefixes where the field is an address.
  std::vector<Property> properties;
  query::Operator op = query::Operator::equal;
  query::CaseMode case_mode = query::CaseMode::folded;
  Polarity polarity = Polarity::positive;
  std::vector<std::string> values;
};

// What agents on Linux do not tell of these properties, so that they are found in records that are sent in alone; ""
// where one of them is told.
std::string missing_on_agents(const std::vector<Property>& properties);
// Whether the values fit the fields of a test: numbers, times, addresses, hashes, regular expressions.
Status check_test(const Criterion& test);
// The criterion over every kind of event, normalized. A condition on the acting process alone counts at its start, not
// again at each thing it does.
Result<query::Expression> lower_criterion(const Criterion& criterion);
bool never_holds(const query::Expression& normalized);

}  // namespace redoubt::rules
