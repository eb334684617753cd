#include "link/agent/spooler.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "redoubt/event.pb.h"

namespace redoubt::link {

namespace {

constexpr std::string_view kSpoolerLog = "spool";
constexpr auto kCutAfter = std::chrono::milliseconds(100);
constexpr size_t kCutEvents = 512;
constexpr size_t kCutBytes = size_t{1} << 20;
constexpr size_t kBatchesAtMost = 64;  // more than a full queue has, each time it is numbered
constexpr auto kSyncEvery = std::chrono::seconds(1);
constexpr auto kFullDiskPause = std::chrono::seconds(1);

}  // namespace

Spooler::Spooler(Account& account, Intake& intake, Spool& spool, const v1::Event& common)
    : account_(account), intake_(intake), spool_(spool), builder_(common) {}

Spooler::~Spooler() { stop(); }

void Spooler::start() {
  declare_before();
  spool_declared();
  appender_ = std::thread([this] { run(); });
  syncer_ = std::thread([this] { run_sync(); });
}

void Spooler::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  stop_changed_.notify_all();
  intake_.close();
  if (appender_.joinable()) appender_.join();
  if (syncer_.joinable()) syncer_.join();
  sync();
}

void Spooler::declare_before() {
  for (const SpoolGap& gap : spool_.gaps_at_open()) {
    intake_.declare({.cause = std::string(kSpoolDamaged),
                     .count = gap.events,
                     .first_sequence = gap.boot_id == account_.boot_id() ? gap.first_sequence : 0,
                     .last_sequence = gap.boot_id == account_.boot_id() ? gap.last_sequence : 0},
                    {});
  }
  const auto& before = account_.before();
  if (!before) return;
  const bool same_boot = before->boot == AccountBefore::Boot::same;
  if (const Hole& hole = before->hole; hole.count != 0) {
    intake_.declare({.cause = std::string(kAgentKilled),
                     .count = hole.count,
                     .first_sequence = same_boot ? hole.first : 0,
                     .last_sequence = same_boot ? hole.last : 0,
                     .until = before->alive},
                    [this, same_boot, count = hole.count] {
                      if (same_boot) account_.fill_hole(count);
                    });
  }
  const uint64_t held = std::max(before->released, spool_.last_sequence(before->boot_id));
  if (held >= before->numbered) return;
  intake_.declare({.cause = std::string(kAgentKilled),
                   .count = before->numbered - held,
                   .first_sequence = same_boot ? held + 1 : 0,
                   .last_sequence = same_boot ? before->numbered : 0,
                   .until = before->alive},
                  {});
}

void Spooler::spool_declared() {
  for (size_t batch = 0; intake_.has_declared() && batch < kBatchesAtMost; ++batch) {
    if (store(intake_.drain({}, kCutEvents)) == Stored::not_all) return;
  }
}

void Spooler::run() {
  while (true) {
    Intake::Drained drained = intake_.drain(kCutAfter, kCutEvents);
    if (drained.events.empty()) return;
    const bool more = drained.events.size() >= kCutEvents;
    const Stored stored = store(std::move(drained));
    keep_limits();
    if (stored == Stored::all || more) continue;
    // A full disk does not empty within a batch. What is not spooled at the end the next start declares.
    std::unique_lock lock(mutex_);
    if (stop_changed_.wait_for(lock, kFullDiskPause, [this] { return stopping_; })) return;
  }
}

Spooler::Stored Spooler::store(Intake::Drained drained) {
  failed_from_ = 0;
  for (const v1::Event& event : drained.events) {
    const auto sequence = static_cast<uint64_t>(event.event_sequence());
    if (builder_.events() == 0) builder_first_ = sequence;
    builder_.add(event);
    if (builder_.events() >= kCutEvents || builder_.bytes() >= kCutBytes) cut();
  }
  if (builder_.events() > 0) cut();

  std::vector<Intake::Declared> again;
  for (Intake::Declared& declared : drained.declared) {
    if (failed_from_ != 0 && declared.sequence >= failed_from_) {
      again.push_back(std::move(declared));
      continue;
    }
    account_.add_lost(declared.loss.count);
    for (const Intake::Done& spooled : declared.spooled) spooled();
  }
  intake_.declare_again(std::move(again));
  return failed_from_ == 0 ? Stored::all : Stored::not_all;
}

void Spooler::cut() {
  const event::Frame frame = builder_.finish(account_.boot_id());
  // Once one frame of a batch fails the rest is not tried: what is missing stays one range.
  Status appended = failed_from_ == 0 ? spool_.append(frame) : fail(Errc::exhausted, "spool is full");
  if (appended) return;
  if (failed_from_ == 0) {
    failed_from_ = builder_first_;
    base::log_error(kSpoolerLog, "events are lost: " + appended.error().message);
  }
  const Hole hole{.first = frame.first_sequence, .last = frame.last_sequence, .count = frame.events};
  account_.open_hole(hole);
  intake_.declare({.cause = std::string(kSpoolFull),
                   .count = hole.count,
                   .first_sequence = hole.first,
                   .last_sequence = hole.last,
                   .until = base::Time::now()},
                  [this, count = hole.count] { account_.fill_hole(count); });
}

bool Spooler::carry_losses(const SpoolGap& gap) {
  bool carried = false;
  for (const event::Frame& frame : gap.frames) {
    const auto bytes = event::open_frame(frame.payload, frame.checksum);
    v1::EventBatch batch;
    if (!bytes || !batch.ParseFromString(*bytes)) continue;
    for (v1::Event& event : *batch.mutable_events()) {
      if (event.event_type() != v1::EVENT_TYPE_LOSS) continue;
      if (gap.boot_id != account_.boot_id()) {  // its numbers would be read as this boot's
        event.clear_loss_first_sequence();
        event.clear_loss_last_sequence();
      }
      intake_.carry_on(event);
      carried = true;
    }
  }
  return carried;
}

void Spooler::keep_limits() {
  while (auto gap = spool_.past_limits()) {
    if (carry_losses(*gap)) {
      spool_declared();
      gap = spool_.gap_in(gap->segment);  // the node may have taken some of it meanwhile
      if (!gap) continue;
    }
    const bool this_boot = gap->boot_id == account_.boot_id();
    if (this_boot && gap->events != 0) {
      account_.open_hole({.first = gap->first_sequence, .last = gap->last_sequence, .count = gap->events});
      account_.set_released(gap->last_sequence);
    }
    spool_.drop(gap->segment);
    if (gap->events == 0) continue;
    base::log_warning(kSpoolerLog, "past its limits: " + std::to_string(gap->events) + " events are given up");
    intake_.declare({.cause = std::string(kSpoolFull),
                     .count = gap->events,
                     .first_sequence = this_boot ? gap->first_sequence : 0,
                     .last_sequence = this_boot ? gap->last_sequence : 0},
                    [this, this_boot, count = gap->events] {
                      if (this_boot) account_.fill_hole(count);
                    });
  }
}

void Spooler::run_sync() {
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, kSyncEvery, [this] { return stopping_; })) {
    lock.unlock();
    account_.note_alive(base::Time::now());
    sync();
    lock.lock();
  }
}

void Spooler::sync() {
  for (const Status& synced : {spool_.sync(), account_.sync()}) {
    if (!synced) base::log_error(kSpoolerLog, synced.error().message);
  }
}

}  // namespace redoubt::link
