#include "sensor/program_hash.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <compare>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/hash.h"

namespace redoubt::sensor {

// Not in the unnamed namespace: they are members of State, which is not either.
using FileKey = std::tuple<uint32_t, uint64_t, uint64_t, int64_t, uint32_t>;

struct HashJob {
  FileKey key;
  rd_program program;
  uint32_t pid;
  std::string path;
};

struct HashAnswer {
  FileKey key;
  std::string sha256;  // empty: could not be had
};

namespace {

constexpr size_t kProgramBytesMax = size_t{64} << 20;
constexpr size_t kRememberedMax = 4096;
constexpr size_t kHashJobsMax = 256;

FileKey file_key(const rd_program& program) {
  return {program.device, program.inode, program.size, program.changed_s, program.changed_ns};
}

// Size and change time are enough to know the file again: neither can be set back by a program.
bool is_that_file(int fd, const rd_program& program) {
  struct stat status{};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  return static_cast<uint64_t>(status.st_size) == program.size && status.st_ctim.tv_sec == program.changed_s &&
         status.st_ctim.tv_nsec == static_cast<long>(program.changed_ns);
}

std::string hash_if_same(const std::string& path, const rd_program& program) {
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd || !is_that_file(fd.get(), program)) return {};
  Result<std::string> digest = base::sha256_file_hex("/proc/self/fd/" + std::to_string(fd.get()), kProgramBytesMax);
  if (!digest || !is_that_file(fd.get(), program)) return {};
  return *std::move(digest);
}

// Through the process while it runs (right in any mount namespace), else by path.
std::string hash_program(const HashJob& job) {
  std::string digest = hash_if_same("/proc/" + std::to_string(job.pid) + "/exe", job.program);
  return digest.empty() ? hash_if_same(job.path, job.program) : digest;
}

}  // namespace

struct ProgramHashes::State {
  base::UniqueFd event;

  // Ring thread.
  std::map<FileKey, std::string> remembered;
  std::deque<FileKey> order;  // of `remembered`, oldest first
  std::map<FileKey, std::vector<std::shared_ptr<Image>>> waiting;

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::deque<HashJob> jobs;
  std::vector<HashAnswer> answers;
  enum class Run { on, off } run = Run::on;

  std::thread thread;

  void work();
  void remember(const HashAnswer& answer);
};

void ProgramHashes::State::work() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return run == Run::off || !jobs.empty(); });
    if (run == Run::off) return;
    const HashJob job = std::move(jobs.front());
    jobs.pop_front();
    lock.unlock();
    HashAnswer answer{job.key, hash_program(job)};
    lock.lock();
    answers.push_back(std::move(answer));
    eventfd_write(event.get(), 1);
  }
}

void ProgramHashes::State::remember(const HashAnswer& answer) {
  if (order.size() >= kRememberedMax) {
    remembered.erase(order.front());
    order.pop_front();
  }
  if (remembered.emplace(answer.key, answer.sha256).second) order.push_back(answer.key);
}

Result<std::unique_ptr<ProgramHashes>> ProgramHashes::start() {
  auto state = std::make_unique<State>();
  state->event = base::UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state->event) return base::fail_errno("make an eventfd");
  State& running = *state;
  running.thread = std::thread([&running] { running.work(); });
  return std::unique_ptr<ProgramHashes>(new ProgramHashes(std::move(state)));
}

ProgramHashes::ProgramHashes(std::unique_ptr<State> state) : state_(std::move(state)) {}

ProgramHashes::~ProgramHashes() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->run = State::Run::off;
  }
  state_->changed.notify_one();
  state_->thread.join();
}

int ProgramHashes::event_fd() const { return state_->event.get(); }

void ProgramHashes::want(const std::shared_ptr<Image>& image, uint32_t pid, Urgency urgency) {
  if (image->program.size == 0 || image->program.size > kProgramBytesMax) return;
  const FileKey key = file_key(image->program);
  if (const auto known = state_->remembered.find(key); known != state_->remembered.end()) {
    image->sha256 = known->second;
    image->hash_state = HashState::known;
    return;
  }
  if (const auto asked = state_->waiting.find(key); asked != state_->waiting.end()) {
    image->hash_state = HashState::pending;
    asked->second.push_back(image);
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->jobs.size() >= kHashJobsMax) return;
    const auto place = urgency == Urgency::now ? state_->jobs.begin() : state_->jobs.end();
    state_->jobs.insert(place, {key, image->program, pid, image->executable});
  }
  state_->changed.notify_one();
  state_->waiting[key].push_back(image);
  image->hash_state = HashState::pending;
}

void ProgramHashes::collect() {
  std::vector<HashAnswer> answers;
  {
    const std::lock_guard lock(state_->mutex);
    answers.swap(state_->answers);
  }
  if (answers.empty()) return;
  eventfd_t count = 0;
  eventfd_read(state_->event.get(), &count);
  for (const HashAnswer& answer : answers) {
    if (!answer.sha256.empty()) state_->remember(answer);
    for (const std::shared_ptr<Image>& image : state_->waiting[answer.key]) {
      image->sha256 = answer.sha256;
      image->hash_state = answer.sha256.empty() ? HashState::none : HashState::known;
    }
    state_->waiting.erase(answer.key);
  }
}

}  // namespace redoubt::sensor
