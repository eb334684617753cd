#include "central/rules/rule_book.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "central/rules/rule_rows.h"
#include "query/hunt.h"

namespace redoubt::central {

namespace {

using Clock = std::chrono::steady_clock;

// The share of a core that looking at a huge directory may take: one in so many.
constexpr int kLookShare = 100;
constexpr size_t kLoggedRefusalsMax = 200;

int64_t ms_since(Clock::time_point begun) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun).count();
}

Error no_rule(const std::string& id) {
  return {Errc::not_found, "no rule with id '" + id.substr(0, 64) + "' is loaded"};
}
Error no_exclusion(int64_t id) { return {Errc::not_found, "no exclusion '" + std::to_string(id) + "'"}; }

}  // namespace

RuleBook::RuleBook(store::StateDb& state, base::Metrics& metrics, RuleBookOptions options)
    : state_(state),
      reloads_(metrics.counter("redoubt_rule_reloads_total", "loads of the rule directory")),
      reloads_failed_(metrics.counter("redoubt_rule_reloads_failed_total", "loads that kept the rules as they were")),
      reload_ms_(metrics.gauge("redoubt_rule_reload_milliseconds", "what the latest load took")),
      options_(std::move(options)) {}

Result<std::unique_ptr<RuleBook>> RuleBook::open(store::StateDb& state, base::Metrics& metrics,
                                                 RuleBookOptions options) {
  std::unique_ptr<RuleBook> book(new RuleBook(state, metrics, std::move(options)));
  TRY_STATUS(base::within("rule decisions", state.read([&](soci::session& sql) -> Status {
    book->saved_ = {.decisions = read_decisions(sql), .exclusions = read_exclusions(sql)};
    return {};
  })));
  TRY_STATUS(book->load_files());
  return book;
}

std::shared_ptr<const RuleSnapshot> RuleBook::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

RuleLoad RuleBook::last_load() const {
  const std::lock_guard lock(mutex_);
  return load_;
}

void RuleBook::start(Install install) {
  {
    const std::lock_guard change(change_mutex_);
    install_ = std::move(install);
  }
  watcher_ = std::thread([this] { watch(); });
}

void RuleBook::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

Status RuleBook::reload() {
  const std::lock_guard change(change_mutex_);
  return load_files();
}

// The marks are taken before the files are read: what changes meanwhile is loaded once more.
Status RuleBook::load_files() {
  const Clock::time_point begun = Clock::now();
  auto marks = look_at_rule_files(options_.directory);
  if (marks) loaded_marks_ = *std::move(marks);
  auto loaded = rules::RuleSet::load(options_.directory);
  Status done = loaded ? Status{} : tl::unexpected<Error>(loaded.error());
  if (loaded) {
    log_load(*loaded);
    done = adopt(std::make_shared<const rules::RuleSet>(*std::move(loaded)), saved_, nullptr);
  }
  reloads_.add();
  const std::lock_guard lock(mutex_);
  if (done) {
    load_ = {.time = base::Time::now(), .took_ms = ms_since(begun), .error = ""};
    reload_ms_.set(load_.took_ms);
    return done;
  }
  reloads_failed_.add();
  load_.error = done.error().message;
  return done;
}

void RuleBook::log_load(const rules::RuleSet& files) const {
  base::log_info("rules",
                 fmt::format("{} rules are loaded, {} refused", files.rules().size(), files.refusals().size()));
  size_t logged = 0;
  for (const auto* list : {&files.refusals(), &files.warnings()}) {
    for (const rules::Refusal& each : *list) {
      if (++logged > kLoggedRefusalsMax) return;
      base::log_warning("rules", each.path + ": " + each.diagnostic.message);
    }
  }
}

// In force first, then durable: a decision that cannot be kept is taken back.
Status RuleBook::adopt(std::shared_ptr<const rules::RuleSet> files, Saved saved, const Write& write) {
  const std::shared_ptr<const RuleSnapshot> before = current();
  auto snapshot = RuleSnapshot::make(std::move(files), saved.decisions, saved.exclusions, base::Time::now());
  TRY_STATUS(publish(std::move(snapshot)));
  const Status kept = write ? state_.write(write) : Status{};
  if (!kept) {
    const Status back = publish(before);
    if (!back) base::log_error("rules", "take a change back: " + back.error().message);
    return kept;
  }
  saved_ = std::move(saved);
  expiry_ = current()->next_expiry(base::Time::now());
  return {};
}

Status RuleBook::publish(std::shared_ptr<const RuleSnapshot> snapshot) {
  if (install_) TRY_STATUS(base::within("make matchers", install_(snapshot)));
  const std::lock_guard lock(mutex_);
  current_ = std::move(snapshot);
  return {};
}

Status RuleBook::change_rule(const std::string& rule_id, const RuleChange& change, const std::string& user) {
  const std::lock_guard changing(change_mutex_);
  if (!current_->find(rule_id)) return tl::unexpected<Error>(no_rule(rule_id));
  Saved saved = saved_;
  RuleDecision& decision = saved.decisions[rule_id];
  if (change.state) decision.state = *change.state;
  if (change.importance) decision.importance = *change.importance;
  decision.changed_by = user;
  decision.changed = base::Time::now();
  const RuleDecision written = decision;
  return adopt(current_->shared_files(), std::move(saved), [&](soci::session& sql) -> Status {
    write_decision(sql, rule_id, written);
    return {};
  });
}

// Whether the exclusion can be put into the rules at hand.
RuleOutcome<std::monostate> RuleBook::check(const Saved& saved, size_t at) const {
  const base::Time now = base::Time::now();
  const auto condition = query::parse_condition(saved.exclusions[at].condition, now);
  if (!condition) return tl::unexpected<RuleError>(condition.error());
  const auto tried = RuleSnapshot::make(current_->shared_files(), saved.decisions, saved.exclusions, now);
  const std::string& problem = tried->exclusions()[at].problem;
  if (!problem.empty()) return tl::unexpected<RuleError>(Error{Errc::invalid_argument, problem});
  return std::monostate{};
}

RuleOutcome<Exclusion> RuleBook::add_exclusion(Exclusion exclusion, const std::string& user) {
  const std::lock_guard changing(change_mutex_);
  if (!exclusion.rule_id.empty() && !current_->find(exclusion.rule_id)) {
    return tl::unexpected<RuleError>(no_rule(exclusion.rule_id));
  }
  if (saved_.exclusions.size() >= kExclusionsMax) {
    return tl::unexpected<RuleError>(
        Error{Errc::exhausted, "there are " + std::to_string(kExclusionsMax) + " exclusions: remove one first"});
  }
  exclusion.author = user;
  exclusion.created = base::Time::now();
  Saved saved = saved_;
  saved.exclusions.push_back(exclusion);
  if (auto sound = check(saved, saved_.exclusions.size()); !sound) return tl::unexpected(std::move(sound).error());
  // It needs its number before it comes into force.
  Status done = state_.write([&](soci::session& sql) -> Status {
    insert_exclusion(sql, exclusion);
    return {};
  });
  if (!done) return tl::unexpected<RuleError>(std::move(done).error());
  saved.exclusions.back() = exclusion;
  done = adopt(current_->shared_files(), std::move(saved), nullptr);
  if (done) return exclusion;
  const Status removed = state_.write([&](soci::session& sql) -> Status {
    delete_exclusion(sql, exclusion.id);
    return {};
  });
  if (!removed) base::log_error("rules", "take an exclusion back: " + removed.error().message);
  return tl::unexpected<RuleError>(std::move(done).error());
}

RuleOutcome<Exclusion> RuleBook::change_exclusion(int64_t id, const ExclusionChange& change) {
  const std::lock_guard changing(change_mutex_);
  Saved saved = saved_;
  const auto found = std::find_if(saved.exclusions.begin(), saved.exclusions.end(),
                                  [&](const Exclusion& each) { return each.id == id; });
  if (found == saved.exclusions.end()) return tl::unexpected<RuleError>(no_exclusion(id));
  if (change.name) found->name = *change.name;
  if (change.condition) found->condition = *change.condition;
  if (change.note) found->note = *change.note;
  if (change.expires) found->expires = *change.expires;
  const Exclusion written = *found;
  const auto at = static_cast<size_t>(found - saved.exclusions.begin());
  if (auto sound = check(saved, at); !sound) return tl::unexpected(std::move(sound).error());
  Status done = adopt(current_->shared_files(), std::move(saved), [&](soci::session& sql) -> Status {
    update_exclusion(sql, written);
    return {};
  });
  if (!done) return tl::unexpected<RuleError>(std::move(done).error());
  return written;
}

Status RuleBook::remove_exclusion(int64_t id) {
  const std::lock_guard changing(change_mutex_);
  Saved saved = saved_;
  if (std::erase_if(saved.exclusions, [&](const Exclusion& each) { return each.id == id; }) == 0) {
    return tl::unexpected<Error>(no_exclusion(id));
  }
  return adopt(current_->shared_files(), std::move(saved), [&](soci::session& sql) -> Status {
    delete_exclusion(sql, id);
    return {};
  });
}

void RuleBook::watch() {
  auto pause = options_.look_every;
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    pause = std::max(options_.look_every, std::chrono::milliseconds(kLookShare * look_for_changes()));
    lock.lock();
  }
}

// Files that are being written are left alone until two looks in a row see the same. How many milliseconds looking
// took.
int64_t RuleBook::look_for_changes() {
  const std::lock_guard changing(change_mutex_);
  const Clock::time_point begun = Clock::now();
  auto marks = look_at_rule_files(options_.directory);
  const int64_t took_ms = ms_since(begun);
  const bool settled = marks && *marks == seen_marks_;
  if (marks) seen_marks_ = *std::move(marks);
  Status done;
  if (settled && seen_marks_ != loaded_marks_) {
    done = load_files();
  } else if (const base::Time now = base::Time::now(); expiry_.us != 0 && expiry_ <= now) {
    done = adopt(current_->shared_files(), saved_, nullptr);
  }
  if (!done) base::log_error("rules", "reload: " + done.error().message);
  return took_ms;
}

}  // namespace redoubt::central
