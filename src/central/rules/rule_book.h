// The rule book: the one place that changes what the node detects. It loads the rule directory, keeps what people
// decided about rules in the state database, and makes a new snapshot of both whenever files, decisions or the clock
// (an exclusion that ends) change. A new snapshot goes to the judge first, then to readers, so that no reader sees a
// rule as on that is not. Any thread; changes and reloads run one at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "central/rules/rule_directory.h"
#include "central/rules/rule_snapshot.h"
#include "query/diagnostic.h"
#include "store/state/state_db.h"

namespace redoubt::central {

struct RuleChange {
  std::optional<RuleSwitch> state;
  // The outer one: whether it changes; the inner one: none gives the rule its own importance back.
  std::optional<std::optional<rules::Importance>> importance;
};

struct ExclusionChange {
  std::optional<std::string> name, condition, note;
  std::optional<base::Time> expires;
};

struct RuleBookOptions {
  std::string directory;
  std::chrono::milliseconds look_every{1000};  // at the directory; less often where a look takes long
};

// How the latest load of the directory went.
struct RuleLoad {
  base::Time time;
  int64_t took_ms = 0;  // reading files, making matchers
  std::string error;    // of a later load that failed as a whole, the rules before it stay; empty: none did
};

// A mistake in the condition, or any other failure.
using RuleError = std::variant<query::Diagnostic, Error>;
template <class T>
using RuleOutcome = tl::expected<T, RuleError>;

class RuleBook {
 public:
  // Takes a snapshot into use; it is given to readers only if that works.
  using Install = std::function<Status(const std::shared_ptr<const RuleSnapshot>&)>;

  // Loads the directory. The parts outlive the book.
  static Result<std::unique_ptr<RuleBook>> open(store::StateDb& state, base::Metrics& metrics, RuleBookOptions options);
  ~RuleBook() { stop(); }

  // Never null; whoever answers a request looks at one snapshot throughout.
  std::shared_ptr<const RuleSnapshot> current() const;
  RuleLoad last_load() const;

  // From now on snapshots go to `install`, and files that change are loaded by themselves. Once.
  void start(Install install);
  void stop();

  // Reads the whole directory again, now. A file that is bad is a refusal; only a directory that is not readable is an
  // error.
  Status reload();

  // not_found: no such rule or exclusion.
  Status change_rule(const std::string& rule_id, const RuleChange& change, const std::string& user);
  // id, author and time are set here.
  RuleOutcome<Exclusion> add_exclusion(Exclusion exclusion, const std::string& user);
  RuleOutcome<Exclusion> change_exclusion(int64_t id, const ExclusionChange& change);
  Status remove_exclusion(int64_t id);

 private:
  struct Saved {
    RuleDecisions decisions;
    std::vector<Exclusion> exclusions;
  };
  using Write = std::function<Status(soci::session&)>;

  RuleBook(store::StateDb& state, base::Metrics& metrics, RuleBookOptions options);
  Status load_files();
  Status adopt(std::shared_ptr<const rules::RuleSet> files, Saved saved, const Write& write);
  Status publish(std::shared_ptr<const RuleSnapshot> snapshot);
  RuleOutcome<std::monostate> check(const Saved& saved, size_t at) const;
  void watch();
  int64_t look_for_changes();
  void log_load(const rules::RuleSet& files) const;

  store::StateDb& state_;
  base::Metric &reloads_, &reloads_failed_, &reload_ms_;
  const RuleBookOptions options_;

  std::mutex change_mutex_;  // held for a whole change or reload; guards what follows
  Saved saved_;
  Install install_;
  std::vector<RuleFileMark> loaded_marks_;
  std::vector<RuleFileMark> seen_marks_;  // at the watcher's latest look
  base::Time expiry_;                     // of the first exclusion that will end; 0: none will

  mutable std::mutex mutex_;  // guards what follows, for moments
  std::shared_ptr<const RuleSnapshot> current_;
  RuleLoad load_;
  bool stopping_ = false;
  std::condition_variable stopped_;
  std::thread watcher_;
};

}  // namespace redoubt::central
