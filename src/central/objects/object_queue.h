// What waits for a verdict: bounded, by priority, and one job a content, however often it was handed in meanwhile. The
// object service holds a place before it takes a body, so that nobody uploads in vain. Any thread.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"

namespace redoubt::central {

// The first is taken first: what a person or a held mail waits for, what systems hand in, what is judged again.
enum class Priority : uint8_t { urgent, normal, rescan };
constexpr size_t kPriorities = 3;

// Content under a name: rules may ask for the name, so the verdict is that of both.
struct ContentKey {
  std::string sha256;
  std::string name;
  bool operator==(const ContentKey&) const = default;
  std::string text() const { return sha256 + name; }
};

struct WaitingObject {
  long long row = 0;  // of the table `objects`
  ContentKey content;
  Priority priority = Priority::normal;
};

// One content to judge, for all rows that had handed it in when it was taken. A rescan has none.
struct ObjectJob {
  ContentKey content;
  Priority priority = Priority::normal;
  std::vector<long long> rows;
};

struct ObjectQueueLimits {
  size_t objects_max = 1000;       // waiting, being judged or on their way in
  size_t of_one_source_max = 500;  // no source takes it all
};

class ObjectQueue {
 public:
  explicit ObjectQueue(ObjectQueueLimits limits) : limits_(limits) {}

  // Keeps a place for an object of `source` until push() or release(). exhausted: full, or the source has its share.
  Status hold(const std::string& source);
  void release(const std::string& source);
  // Takes the held place of `source`.
  void push(const std::string& source, WaitingObject object);
  // What was waiting at the last stop, past any limit.
  void push_again(WaitingObject object);
  // A content that is to be judged again; nothing where it waits or is being judged already.
  void push_rescan(const ContentKey& content);

  // Blocks; nothing once stopped.
  std::optional<ObjectJob> take();
  // Ends a job whose rows are judged. Rows that came with the same content meanwhile are returned and belong to the
  // caller as those of the job did: none means that the job is over.
  std::vector<long long> finish(const ObjectJob& job);
  // Puts a job back whose judgement could not be kept, and rests.
  void retry(const ObjectJob& job);

  // Until the row is judged, the time is up or the queue stops.
  void wait_until_judged(long long row, int64_t wait_ms);
  size_t size() const;
  size_t rescans() const;
  bool stopped() const;
  void stop();

 private:
  struct Job {
    ObjectJob job;
    std::vector<long long> later;  // came while it was being judged
    enum class State { waits, taken } state = State::waits;
  };
  void enter(const WaitingObject& object);  // under mutex_
  void leave(const std::vector<long long>& rows);

  const ObjectQueueLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_, stopped_;
  std::multimap<long long, std::condition_variable*> awaited_;  // rows that somebody waits for
  std::unordered_map<std::string, Job> jobs_;                   // by the content's text
  std::array<std::deque<std::string>, kPriorities> order_;      // may name jobs that moved up or are gone
  std::unordered_map<long long, std::string> source_of_;        // of every row that is not judged
  std::map<std::string, size_t> held_by_;  // places a source has: on their way in, waiting, being judged
  size_t held_ = 0;
  size_t rescans_ = 0;
  enum class Life { runs, stops } life_ = Life::runs;
};

}  // namespace redoubt::central
