#include "sensor/container/container_lookup.h"

#include <sys/eventfd.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/file.h"
#include "sensor/container/container_source.h"

namespace redoubt::sensor {

using LookupClock = std::chrono::steady_clock;

// Not in the unnamed namespace: they are members of State, which is not either.
struct LookupJob {
  std::string id;
  std::string cgroup_path;
  int attempt = 0;
};

struct LookupAnswer {
  std::string id;
  ContainerFacts facts;
  FactsState state = FactsState::pending;
};

namespace {

// A runtime knows a container soon after it has made its cgroup, a pod's sandbox only when its network is up.
constexpr int kAttemptsMax = 9;
constexpr std::chrono::milliseconds kFirstPause{15};

std::chrono::milliseconds pause_after(int attempt) { return kFirstPause * (1 << attempt); }

}  // namespace

struct ContainerLookup::State {
  explicit State(std::vector<Runtime> runtimes) : source(std::move(runtimes)) {}

  base::UniqueFd event;
  ContainerSource source;  // the thread's

  // Ring thread.
  std::unordered_map<std::string, std::shared_ptr<Container>> asked;

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::multimap<LookupClock::time_point, LookupJob> jobs;  // by when they are due
  std::vector<LookupAnswer> answers;
  enum class Run { on, off } run = Run::on;

  std::thread thread;

  void work();
  void answer(LookupJob job);
};

void ContainerLookup::State::work() {
  std::unique_lock lock(mutex);
  while (run == Run::on) {
    if (jobs.empty()) {
      changed.wait(lock);
      continue;
    }
    const LookupClock::time_point due = jobs.begin()->first;
    if (due > LookupClock::now()) {
      changed.wait_until(lock, due);
      continue;
    }
    LookupJob job = std::move(jobs.begin()->second);
    jobs.erase(jobs.begin());
    lock.unlock();
    answer(std::move(job));
    lock.lock();
  }
}

void ContainerLookup::State::answer(LookupJob job) {
  SourceAnswer told = source.ask(job.id, job.cgroup_path);
  const bool again = told.completeness == Completeness::more_may_come && job.attempt + 1 < kAttemptsMax;
  const std::lock_guard lock(mutex);
  answers.push_back({job.id, std::move(told.facts), again ? FactsState::pending : FactsState::known});
  if (again) {
    const LookupClock::time_point due = LookupClock::now() + pause_after(job.attempt);
    ++job.attempt;
    jobs.emplace(due, std::move(job));
  }
  eventfd_write(event.get(), 1);
}

Result<std::unique_ptr<ContainerLookup>> ContainerLookup::start(std::vector<Runtime> runtimes) {
  auto state = std::make_unique<State>(std::move(runtimes));
  state->event = base::UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state->event) return base::fail_errno("make an eventfd");
  State& running = *state;
  running.thread = std::thread([&running] { running.work(); });
  return std::unique_ptr<ContainerLookup>(new ContainerLookup(std::move(state)));
}

ContainerLookup::ContainerLookup(std::unique_ptr<State> state) : state_(std::move(state)) {}

ContainerLookup::~ContainerLookup() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->run = State::Run::off;
  }
  state_->changed.notify_one();
  state_->thread.join();
}

int ContainerLookup::event_fd() const { return state_->event.get(); }

void ContainerLookup::want(const std::shared_ptr<Container>& container, LookupUrgency urgency) {
  if (state_->asked.size() >= kAskedMax) return;
  state_->asked[container->id] = container;
  container->facts_state = FactsState::pending;
  // What is urgent stands before all that is due.
  const LookupClock::time_point due = urgency == LookupUrgency::now ? LookupClock::time_point{} : LookupClock::now();
  {
    const std::lock_guard lock(state_->mutex);
    state_->jobs.emplace(due, LookupJob{container->id, container->cgroup_path});
  }
  state_->changed.notify_one();
}

std::vector<std::shared_ptr<Container>> ContainerLookup::collect() {
  std::vector<LookupAnswer> answers;
  {
    const std::lock_guard lock(state_->mutex);
    answers.swap(state_->answers);
  }
  std::vector<std::shared_ptr<Container>> described;
  if (answers.empty()) return described;
  eventfd_t count = 0;
  eventfd_read(state_->event.get(), &count);
  for (LookupAnswer& answer : answers) {
    const auto asked = state_->asked.find(answer.id);
    if (asked == state_->asked.end()) continue;
    Container& container = *asked->second;
    // What is told last is told best; what it leaves out stays. When the container was made, the kernel knows better.
    if (container.facts.start_us != 0) answer.facts.start_us = container.facts.start_us;
    answer.facts.complete(container.facts);
    container.facts = std::move(answer.facts);
    container.facts_state = answer.state;
    if (answer.state == FactsState::pending) continue;
    described.push_back(asked->second);
    state_->asked.erase(asked);
  }
  return described;
}

}  // namespace redoubt::sensor
