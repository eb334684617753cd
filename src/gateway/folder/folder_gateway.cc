#include "gateway/folder/folder_gateway.h"

#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "gateway/folder/courier.h"
#include "gateway/folder/folder_check.h"
#include "gateway/folder/watcher.h"

namespace redoubt::gateway::folder {

namespace {

constexpr const char* kGatewayComponent = "folder";
constexpr size_t kInstanceBytes = 4;
constexpr size_t kInstanceBytesMax = 64;
constexpr int64_t kPollMsFirst = 50;
constexpr size_t kQueuedACourier = 4;

// A file on its way from a watcher (or the journal) to a courier.
struct Job {
  size_t set = 0;
  std::string relative;
  std::optional<Record> record;  // of a run before
  Mover::Need need = Mover::Need::nothing;
};

class JobQueue {
 public:
  explicit JobQueue(size_t jobs_max) : jobs_max_(jobs_max) {}

  bool offer(Job job) {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= jobs_max_) return false;
    jobs_.push_back(std::move(job));
    changed_.notify_one();
    return true;
  }
  // What the journal says goes first and needs no room.
  void push(Job job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.notify_one();
  }
  // Nothing once it is closed.
  std::optional<Job> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    if (closed_) return std::nullopt;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  const size_t jobs_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool closed_ = false;
};

// One set with those who serve it.
struct Lane {
  Lane(const FolderSet& set, const Journal& journal, ScanDesk& desk, const StopFlag& stop, const StepHook& hook,
       Watcher::Offer offer)
      : mover(set, journal, hook),
        courier(set, mover, journal, desk, claims, stop),
        watcher(set, claims, stop, std::move(offer)) {}

  Claims claims;
  Mover mover;
  Courier courier;
  Watcher watcher;
};

// The same at every start: the node's results of a run before are known by it.
Result<std::string> scan_id_prefix(const std::string& state_directory) {
  const std::string path = state_directory + "/instance";
  if (auto known = base::read_file(path, kInstanceBytesMax)) return known;
  const std::string made = "rg" + base::to_hex(base::random_bytes(kInstanceBytes)) + "-";
  TRY_STATUS(base::write_file_atomic(path, made, base::kPrivateFile));
  return made;
}

}  // namespace

struct FolderGateway::State {
  State(Settings given, Scanner& given_scanner, Journal opened, ScanDeskOptions desk_options)
      : settings(std::move(given)),
        scanner(given_scanner),
        journal(std::move(opened)),
        desk(given_scanner, stop, std::move(desk_options)),
        queue(kQueuedACourier * static_cast<size_t>(settings.parallel)) {}

  const Settings settings;
  Scanner& scanner;
  const Journal journal;
  base::UniqueFd lock;
  StopFlag stop;
  ScanDesk desk;
  JobQueue queue;
  std::vector<std::unique_ptr<Lane>> lanes;
  std::vector<std::thread> workers;

  Status make_lanes(const StepHook& hook) {
    for (size_t i = 0; i < settings.folders.size(); ++i) {
      const auto offer = [this, i](const std::string& relative) {
        return queue.offer({.set = i, .relative = relative});
      };
      lanes.push_back(std::make_unique<Lane>(settings.folders[i], journal, desk, stop, hook, offer));
      TRY_STATUS(base::within("folder '" + settings.folders[i].name + "'", lanes.back()->mover.prepare()));
    }
    return {};
  }

  // What the journal says of the run before.
  Status recover() {
    TRY(const std::vector<Record> records, journal.load());
    for (const Record& record : records) TRY_STATUS(recover_one(record));
    for (size_t i = 0; i < lanes.size(); ++i) {
      TRY(const auto orphans, lanes[i]->mover.rescue_orphans(records));
      for (const std::string& name : orphans) {
        base::log_error(kGatewayComponent, settings.folders[i].name + ": the journal does not know of " + name +
                                               " in the work folder; it is quarantined as recovered-" + name);
      }
    }
    return {};
  }

  Status recover_one(const Record& record) {
    for (size_t i = 0; i < lanes.size(); ++i) {
      if (settings.folders[i].name != record.folder) continue;
      TRY(const Mover::Need need, base::within(record.relative, lanes[i]->mover.recover(record)));
      if (need == Mover::Need::nothing) return {};
      lanes[i]->claims.begin(record.relative);
      queue.push({.set = i, .relative = record.relative, .record = record, .need = need});
      return {};
    }
    base::log_error(kGatewayComponent, "no folder is named '" + record.folder + "' any more: a file of it waits as " +
                                           record.work + "/" + record.id);
    return {};
  }

  void work() {
    while (auto job = queue.take()) {
      Lane& lane = *lanes[job->set];
      if (job->record) {
        lane.courier.resume(std::move(*job->record), job->need);
      } else {
        lane.courier.carry(job->relative);
      }
      lane.claims.end(job->relative);
    }
  }
};

FolderGateway::FolderGateway(std::unique_ptr<State> state) : state_(std::move(state)) {}

FolderGateway::~FolderGateway() = default;

Result<std::unique_ptr<FolderGateway>> FolderGateway::start(Settings settings, Scanner& scanner, StepHook hook) {
  std::signal(SIGIO, SIG_IGN);  // sent to who has a lease (directory.h)
  TRY_STATUS(check_folders(settings));
  TRY_STATUS(base::make_directories(settings.state_directory));
  TRY(base::UniqueFd lock, base::lock_file(settings.state_directory + "/lock", base::kTakeoverMs));
  TRY(Journal journal, Journal::open(settings.state_directory + "/journal"));
  TRY(std::string prefix, scan_id_prefix(settings.state_directory));
  ScanDeskOptions desk{.id_prefix = std::move(prefix),
                       .poll_ms_first = std::min(kPollMsFirst, settings.poll_ms),
                       .poll_ms_max = settings.poll_ms,
                       .verdict_ms_max = settings.verdict_ms};
  auto state = std::make_unique<State>(std::move(settings), scanner, std::move(journal), std::move(desk));
  state->lock = std::move(lock);
  TRY_STATUS(state->make_lanes(hook));
  TRY_STATUS(state->recover());
  state->desk.start();
  for (int64_t i = 0; i < state->settings.parallel; ++i) {
    state->workers.emplace_back([raw = state.get()] { raw->work(); });
  }
  for (const auto& lane : state->lanes) lane->watcher.start();
  return std::unique_ptr<FolderGateway>(new FolderGateway(std::move(state)));
}

void FolderGateway::stop() {
  state_->stop.stop();
  state_->scanner.stop();
  for (const auto& lane : state_->lanes) lane->watcher.join();
  state_->queue.close();
  for (std::thread& worker : state_->workers) worker.join();
  state_->desk.join();
}

}  // namespace redoubt::gateway::folder
